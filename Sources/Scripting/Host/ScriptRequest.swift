// A script's request to another server, as `http` hands it to the host, and the response.

import LuaBridge

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

/// Reads a list of the bridge.
private struct StringsReader {
    private let list: OpaquePointer
    private var offset = 0

    init(_ list: OpaquePointer) { self.list = list }

    mutating func next() -> String? {
        var count = 0
        guard let bytes = bridgeStringsNext(list, &offset, &count) else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    mutating func pairs(atMost limit: Int) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        while pairs.count < limit, let name = next(), let value = next() { pairs.append((name, value)) }
        return pairs
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
