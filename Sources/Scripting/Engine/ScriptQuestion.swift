// A question that a script answers, whether a push or a subscription may pass, or a backend's call; and the script's
// answer.
//
// Read next: ScriptEngine+Events.swift, LuaBridge/Events/questions.c.

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

    /// Makes a question.
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

/// The answer of `onPublish`, `onRequest` or `onSubscribe`.
public enum ScriptReply: Sendable {
    /// The script has no such handler.
    case absent
    /// Go on; for a publication, with the changes.
    case proceed(PublicationChange?)
    /// Refused, with the reason.
    case refused(String)
    /// The response of `onRequest`.
    case response(CallResponse)
    /// The handler waits; ``ScriptEngine/resume(_:with:)`` brings the answer.
    case waiting(ScriptTask)
    case failed(ScriptError)
}

/// The changes of `onPublish` to a publication; `nil` fields are unchanged.
public struct PublicationChange: Sendable, Equatable {
    public var channel: [UInt8]?
    public var key: [UInt8]?
    public var data: [UInt8]?
    public var isBinary: Bool
}

/// An HTTP response that a script returns.
public struct CallResponse: Sendable {
    /// 200 to 599.
    public var status: Int
    public var body: [UInt8]
    /// The body's media type, derived from the script's value; empty for no body.
    public var type: String
    public var headers: [(name: String, value: String)]
}
