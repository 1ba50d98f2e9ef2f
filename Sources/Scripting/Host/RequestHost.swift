// The requests of `http` to the host: their protocol, the answers of a host that does nothing, and the calls from C,
// which ScriptHost.h declares.
//
// Runs on: the worker's thread, called from C while a script runs. Allocates: for each request and response.

import LuaBridge

/// The functions of `http`.
public protocol RequestHost: AnyObject {
    /// Sends a request to another server. Answer the ticket with ``ScriptEngine/resume(_:with:)`` when the response or
    /// an error is there, but not from within this call. Returns the mistake in a request that cannot be sent, else
    /// nil.
    func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String?
}

/// A script's request. Only the types of its fields have been checked.
public struct ScriptRequest: Sendable {
    /// "GET", or another method, as the script wrote it.
    public let method: String
    public let url: String
    public let query: [(name: String, value: String)]
    /// In no particular order, because they come from a Lua table.
    public let headers: [(name: String, value: String)]
    /// The body; nil for none.
    public let body: [UInt8]?
    /// Whether the body is JSON that the bridge made of a table.
    public let isJSON: Bool
    /// The time for the whole request in seconds; nil for the server's setting.
    public let timeout: Double?
    /// The largest body of the response in bytes; nil for the server's setting.
    public let maxBytes: Int?
    /// How many redirects are followed.
    public let redirects: Int

    init(_ request: BridgeRequestHTTP) {
        var reader = StringsReader(request.strings)
        method = reader.next() ?? ""
        url = reader.next() ?? ""
        query = reader.pairs(atMost: Int(request.queryCount))
        headers = reader.pairs(atMost: .max)
        body = request.body.bytes == nil ? nil : Array(request.body.buffer)
        isJSON = request.isJSON
        timeout = request.timeout > 0 ? request.timeout : nil
        maxBytes = request.maxBytes >= 0 ? Int(request.maxBytes) : nil
        redirects = Int(request.redirects)
    }
}

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

extension SilentHost {
    public func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String? { nil }
}

@c @implementation
func scriptHostRequest(
    _ host: UnsafeMutableRawPointer, _ ticket: BridgeTicket, _ request: UnsafePointer<BridgeRequestHTTP>,
    _ why: UnsafeMutablePointer<BridgeText>
) -> Bool {
    HostLink.with(host) { link in
        guard var mistake = link.host.request(WaitTicket(ticket), ScriptRequest(request.pointee)) else { return true }
        mistake.withUTF8 { bridgeTextSet(why, $0.baseAddress, $0.count) }
        return false
    }
}

@c @implementation
func scriptHostResponse(_ host: UnsafeMutableRawPointer, _ answer: OpaquePointer) -> Int32 {
    HostLink.with(host) { link in
        var answer = ScriptStrings(answer)
        switch link.answer {
        case .response(let response):
            answer.append(response.body)
            for field in response.headers { answer.append(name: field.name, value: field.value) }
            return Int32(clamping: response.status)
        case .requestFailed(_, let detail):
            answer.append(detail)
            return 0
        case .done, .failed:
            return 0
        }
    }
}
