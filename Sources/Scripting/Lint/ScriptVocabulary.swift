// Every name that a script can use: the names in the bridge's tables, and the fields of the values that handlers get.
// For a name that is not known, the known name that was probably meant.

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
        var nearest: String?
        var fewest = name.count / 3 + 1
        for candidate in names where abs(candidate.count - name.count) < fewest && candidate.count <= 64 {
            let steps = steps(from: Array(name.lowercased().utf8), to: Array(candidate.lowercased().utf8))
            if steps < fewest { (nearest, fewest) = (candidate, steps) }
        }
        return nearest
    }

    /// The number of letters that must be inserted, removed, replaced or exchanged with their neighbour.
    private static func steps(from: [UInt8], to: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...to.count)
        for (i, letter) in from.enumerated() {
            var row = [i + 1]
            for (j, wanted) in to.enumerated() {
                var best = min(last[j] + (letter == wanted ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, letter == to[j - 1], from[i - 1] == wanted { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[to.count]
    }
}
