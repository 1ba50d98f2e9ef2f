// Every name that a script can use: what the bridge lists of its own tables, and what it gives to handlers.

import LuaBridge

/// The names of the script API.
public struct ScriptVocabulary: Sendable, Equatable {
    /// "print", "server".
    public private(set) var globals: Set<String> = []
    /// The fields of each global table, and of "conn".
    public private(set) var fields: [String: Set<String>] = [:]
    /// The globals and fields ("server.publish", "conn.send") that are functions.
    public private(set) var functions: Set<String> = []

    /// Fields of what handlers get besides a conn.
    public static let handlerFields: [String: Set<String>] = [
        "request": ["path", "ip", "query", "headers", "cookies", "subprotocols", "certificate"],
        "publication": ["channel", "user", "connection", "path", "data", "binary", "key", "exclude"],
        "call": ["method", "path", "name", "ip", "body", "query", "headers"],
    ]

    /// Tables of which a missing field is `nil` and no mistake in itself.
    static let lenient: Set<String> = ["string", "table", "math", "utf8", "coroutine", "config"]

    init(listing: [String]) {
        for entry in listing {
            let isFunction = entry.hasSuffix("()")
            let name = isFunction ? String(entry.dropLast(2)) : entry
            if isFunction { functions.insert(name) }
            if let dot = name.firstIndex(of: ".") {
                fields[String(name[..<dot]), default: []].insert(String(name[name.index(after: dot)...]))
            } else {
                globals.insert(name)
            }
        }
        // Settings are the operator's; any may be absent.
        fields["config"] = nil
    }
}

extension ScriptEngine {
    /// Every name that scripts can use here.
    public var vocabulary: ScriptVocabulary {
        var listing: [String] = []
        guard let strings = bridgeVocabulary(bridge) else { return ScriptVocabulary(listing: []) }
        var offset = 0
        var count = 0
        while let bytes = bridgeStringsNext(strings, &offset, &count) {
            listing.append(String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self))
        }
        return ScriptVocabulary(listing: listing)
    }
}
