// What a backend asks of a script: whether a push may pass, or a call.

/// A question for `onPublish` or `onRequest`.
public struct ScriptQuestion: Sendable {
    /// A name and its bytes, which need not be UTF-8.
    public typealias Field = (name: String, value: [UInt8])

    /// The fields of the table that the handler gets.
    public var fields: [Field]
    public var query: [(name: String, value: String)]
    /// Names in lower case.
    public var headers: [Field]
    /// Whether the publication is a binary message.
    public var isBinary: Bool

    /// A question of its parts.
    public init(
        fields: [Field], query: [(name: String, value: String)] = [], headers: [Field] = [],
        isBinary: Bool = false
    ) {
        self.fields = fields
        self.query = query
        self.headers = headers
        self.isBinary = isBinary
    }
}
