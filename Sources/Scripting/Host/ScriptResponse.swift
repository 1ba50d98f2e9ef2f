// What another server answered a script.

/// The answer to a ``ScriptRequest``.
public struct ScriptResponse: Sendable {
    public let status: Int
    /// Names in lower case; one that comes more than once is joined for the script. Values need not be UTF-8.
    public let headers: [(name: String, value: [UInt8])]
    public let body: [UInt8]

    public init(status: Int, headers: [(name: String, value: [UInt8])], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
