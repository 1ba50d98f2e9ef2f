// Why nothing could be measured, in words for the person who wanted to know.

/// A measurement could not be made.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
