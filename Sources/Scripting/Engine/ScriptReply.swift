// What a script answers to a question.

/// The answer of `onPublish`, `onRequest` or `onSubscribe`.
public enum ScriptReply: Sendable {
    /// The script has no such handler.
    case absent
    /// Go on; for a publication, with what is changed.
    case proceed(PublicationChange?)
    /// No, and why.
    case refused(String)
    /// What `onRequest` answers.
    case response(CallResponse)
    /// The handler waits; ``ScriptEngine/resume(_:with:)`` brings the answer.
    case waiting(ScriptTask)
    case failed(ScriptError)
}

/// What `onPublish` made of a publication; `nil` is as it was.
public struct PublicationChange: Sendable, Equatable {
    public var channel: [UInt8]?
    public var key: [UInt8]?
    public var data: [UInt8]?
    public var isBinary: Bool
}

/// An HTTP response as a script wants it.
public struct CallResponse: Sendable {
    /// 200 to 599.
    public var status: Int
    public var body: [UInt8]
    /// The body's media type as the script's value has it; empty for no body.
    public var type: String
    public var headers: [(name: String, value: String)]
}
