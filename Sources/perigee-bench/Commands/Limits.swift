// What may be asked of the generator: all limits, each with its reason in the message.

import ArgumentParser

enum Limits {
    /// The ports that one client address has for one server address are fewer than this and some to spare.
    static let connections = 1...25_000
    static let inFlight = 1...1_000
    /// A message has room for its time stamp.
    static let size = MessageStamp.count...(16 << 20)

    static func check(connections: Int, inFlight: Int = 1, size: Int = MessageStamp.count, path: String) throws {
        guard self.connections.contains(connections) else {
            throw ValidationError(
                "--connections is from \(self.connections.lowerBound) to \(self.connections.upperBound).")
        }
        guard self.inFlight.contains(inFlight) else {
            throw ValidationError("--in-flight is from \(self.inFlight.lowerBound) to \(self.inFlight.upperBound).")
        }
        guard self.size.contains(size) else {
            throw ValidationError("--size is from \(self.size.lowerBound) to \(self.size.upperBound) bytes.")
        }
        let isToken = path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard path.hasPrefix("/"), isToken, path.utf8.count <= 1_024 else {
            throw ValidationError("--path begins with a slash and has neither spaces nor control characters.")
        }
    }
}
