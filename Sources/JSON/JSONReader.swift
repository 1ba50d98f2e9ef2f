// One JSON object as its members, with the text of each value kept as it was written: "data" of any kind is pushed on without a
// change to a number's digits or an object's order.
//
// Read next: JSONCursor.swift

/// Reads one JSON object into its members.
public enum JSONReader {
    /// Values nested deeper than this are refused.
    public static let maxDepth = 64

    /// The kind of a member's value.
    public enum Value {
        /// A string, decoded.
        case string(String)
        /// An array of strings, decoded; the empty array is one.
        case strings([String])
        /// A number, boolean, null, object or other array, as written.
        case other(Substring.UTF8View)
    }

    /// Members by name, each with its value and the value's text as it was written.
    public typealias Members = [String: (value: Value, json: String)]

    /// The members of the object that the bytes are; a name that is there twice is an error.
    public static func members(of bytes: [UInt8]) throws(JSONError) -> Members {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONError(message: "the body is not UTF-8")
        }
        var cursor = JSONCursor(bytes)
        cursor.skipSpace()
        var members: Members = [:]
        try cursor.object { (cursor, name) throws(JSONError) in
            let start = cursor.position
            let read = try value(at: &cursor, depth: 1)
            let json = String(decoding: cursor.bytes[start..<cursor.position], as: UTF8.self)
            guard members.updateValue((read, json), forKey: name) == nil else {
                throw JSONError(message: "the member \"\(name)\" is there twice")
            }
        }
        cursor.skipSpace()
        guard cursor.position == bytes.count else { throw cursor.failure("something follows the object") }
        return members
    }

    /// The places of the values in the array that the bytes are.
    /// - Parameter limit: the most values; nil is answered for an array of more.
    public static func elements(of bytes: [UInt8], limit: Int) throws(JSONError) -> [Range<Int>]? {
        var cursor = JSONCursor(bytes)
        cursor.skipSpace()
        var places: [Range<Int>] = []
        var count = 0
        try cursor.array { (cursor) throws(JSONError) in
            let start = cursor.position
            _ = try value(at: &cursor, depth: 1)
            count += 1
            if count <= limit { places.append(start..<cursor.position) }
        }
        cursor.skipSpace()
        guard cursor.position == bytes.count else { throw cursor.failure("something follows the array") }
        return count <= limit ? places : nil
    }

    private static func value(at cursor: inout JSONCursor, depth: Int) throws(JSONError) -> Value {
        guard depth <= maxDepth else { throw cursor.failure("the JSON is nested too deeply") }
        let start = cursor.position
        switch cursor.current {
        case UInt8(ascii: "\""):
            return .string(try cursor.string())
        case UInt8(ascii: "{"):
            try cursor.object { (cursor, _) throws(JSONError) in _ = try value(at: &cursor, depth: depth + 1) }
        case UInt8(ascii: "["):
            if let strings = try strings(at: &cursor, depth: depth) { return .strings(strings) }
        case UInt8(ascii: "t"): try cursor.word("true")
        case UInt8(ascii: "f"): try cursor.word("false")
        case UInt8(ascii: "n"): try cursor.word("null")
        default: try cursor.number()
        }
        return .other(Substring(decoding: cursor.bytes[start..<cursor.position], as: UTF8.self).utf8)
    }

    /// The elements of an array if all are strings.
    private static func strings(at cursor: inout JSONCursor, depth: Int) throws(JSONError) -> [String]? {
        var strings: [String]? = []
        try cursor.array { (cursor) throws(JSONError) in
            if case .string(let text) = try value(at: &cursor, depth: depth + 1) {
                strings?.append(text)
            } else {
                strings = nil
            }
        }
        return strings
    }
}
