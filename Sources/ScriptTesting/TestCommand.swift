// A command of `t`: a word, and strings.

/// A mistake in a test file, which is raised there.
struct TestMistake: Error {
    let message: String
}

struct TestCommand {
    let word: String
    let arguments: [[UInt8]]

    init(_ strings: [[UInt8]]) {
        word = strings.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        arguments = Array(strings.dropFirst())
    }

    func text(_ index: Int) -> String {
        index < arguments.count ? String(decoding: arguments[index], as: UTF8.self) : ""
    }

    /// All arguments from one on, as texts.
    func texts(from index: Int) -> [String] {
        arguments.dropFirst(index).map { String(decoding: $0, as: UTF8.self) }
    }

    func number(_ index: Int) throws(TestMistake) -> Double {
        guard let number = Double(text(index)), number.isFinite, number >= 0 else {
            throw TestMistake(message: "expected a number that is not negative, got \(text(index))")
        }
        return number
    }
}
