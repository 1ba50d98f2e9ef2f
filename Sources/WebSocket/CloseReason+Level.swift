// How loudly a close is logged, in the words of the server's log but without depending on its library.

extension CloseReason {
    /// The severity of a close, from what only a developer wants to see to what an operator must see.
    public enum Level: UInt8, Comparable, Sendable {
        case debug, info, notice, warning, error

        public static func < (left: Level, right: Level) -> Bool {
            left.rawValue < right.rawValue
        }
    }
}
