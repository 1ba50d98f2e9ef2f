// Every name that a script can use: the names in the bridge's tables, and the fields of the values that handlers get.
// For a name that is not known, the known name that was probably meant.

import CNearestName

/// The names of the script API.
public struct ScriptVocabulary: Sendable, Equatable {
    /// "print", "server".
    public private(set) var globals: Set<String> = []
    /// The fields of each global table, and of "conn".
    public private(set) var fields: [String: Set<String>] = [:]
    /// The globals and fields that are functions, as "server.publish" or "conn.send".
    public private(set) var functions: Set<String> = []

    /// The fields of the values that handlers get besides a conn.
    public static let handlerFields: [String: Set<String>] = [
        "request": ["path", "ip", "query", "headers", "cookies", "subprotocols", "certificate"],
        "publication": ["channel", "user", "connection", "path", "data", "binary", "key", "exclude"],
        "call": ["method", "path", "name", "ip", "body", "query", "headers"],
    ]

    /// Tables in which a missing field is `nil` and no mistake in itself.
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
        // The operator writes the settings, so any of them may be absent.
        fields["config"] = nil
    }
}

/// The search for the nearest of several names, for "did you mean".
public enum NearestName {
    /// The name with the fewest edits, at most a third of the letters; nil if none is that close. A difference in case
    /// does not count.
    public static func of(_ name: String, among names: some Sequence<String>) -> String? {
        var search = nearest_name_search()
        nearest_name_begin(&search, name, name.utf8.count)
        var nearest: String?
        for known in names where nearest_name_offer(&search, known, known.utf8.count) { nearest = known }
        return nearest
    }
}
