// What is wrong with a request before anything is sent: the caller's mistake, and never the network's.

/// A request that cannot be made, in one sentence.
public struct HTTPRequestMistake: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
