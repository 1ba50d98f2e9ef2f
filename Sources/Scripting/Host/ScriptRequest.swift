// What a script asks another server, as `http` hands it to the host.

import LuaBridge

/// A request of a script, of which nothing but the types has been checked.
public struct ScriptRequest: Sendable {
    /// "GET", or whatever the script wrote.
    public let method: String
    public let url: String
    public let query: [(name: String, value: String)]
    /// In no order of their own: they come from a Lua table.
    public let headers: [(name: String, value: String)]
    /// Nil for none.
    public let body: [UInt8]?
    /// Whether the body is JSON that was a table.
    public let isJSON: Bool
    /// For all of it, in seconds; nil for the server's.
    public let timeout: Double?
    /// Of the response's body; nil for the server's.
    public let maxBytes: Int?
    /// How many are followed.
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

/// Walks over a list of the bridge's.
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
