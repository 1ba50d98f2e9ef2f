// A JSON value as a tree, for readers of all of it: an answer of the admin API, a message in a test.
//
// Read next: JSONCursor.swift

/// A JSON value (RFC 8259). Numbers are doubles, exact up to 2^53.
public enum JSON: Equatable, Sendable {
    /// The word `null`.
    case null
    /// A truth value.
    case bool(Bool)
    /// A finite number.
    case number(Double)
    /// A string, decoded.
    case string(String)
    /// The elements in their order.
    case array([JSON])
    /// The members by name.
    case object([String: JSON])

    /// The member of that name; nil when there is none or this is no object.
    public subscript(name: String) -> JSON? { object?[name] }

    /// The element at that index; nil when there is none or this is no array.
    public subscript(index: Int) -> JSON? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    /// The text of a string; nil for another value.
    public var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The value of a number; nil for another value.
    public var number: Double? { if case .number(let number) = self { number } else { nil } }

    /// The value of a whole number; nil for another value.
    public var int: Int? { number.flatMap { Int(exactly: $0) } }

    /// The truth value; nil for another value.
    public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// The elements of an array; nil for another value.
    public var array: [JSON]? { if case .array(let elements) = self { elements } else { nil } }

    /// The members of an object; nil for another value.
    public var object: [String: JSON]? { if case .object(let members) = self { members } else { nil } }

    /// Whether this is `null`.
    public var isNull: Bool { self == .null }
}

extension JSON {
    /// Deeper values are refused.
    private static let maxDepth = 512

    /// Parses a whole JSON text: no name twice in one object, at most 512 levels, numbers that a double can hold.
    public init(parsing text: String) throws(JSONError) {
        var cursor = JSONCursor(Array(text.utf8))
        cursor.skipSpace()
        self = try Self.value(at: &cursor, depth: 1)
        cursor.skipSpace()
        guard cursor.current == nil else { throw cursor.failure("something follows the value") }
    }

    private static func value(at cursor: inout JSONCursor, depth: Int) throws(JSONError) -> JSON {
        guard depth <= maxDepth else { throw cursor.failure("the JSON is nested too deeply") }
        switch cursor.current {
        case UInt8(ascii: "\""): return .string(try cursor.string())
        case UInt8(ascii: "{"): return .object(try members(at: &cursor, depth: depth))
        case UInt8(ascii: "["):
            var elements: [JSON] = []
            try cursor.array { (cursor) throws(JSONError) in
                elements.append(try value(at: &cursor, depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "t"):
            try cursor.word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try cursor.word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try cursor.word("null")
            return .null
        default: return .number(try number(at: &cursor))
        }
    }

    private static func members(at cursor: inout JSONCursor, depth: Int) throws(JSONError) -> [String: JSON] {
        var members: [String: JSON] = [:]
        try cursor.object { (cursor, name) throws(JSONError) in
            guard members.updateValue(try value(at: &cursor, depth: depth + 1), forKey: name) == nil else {
                throw cursor.failure("the member \"\(name)\" is there twice")
            }
        }
        return members
    }

    private static func number(at cursor: inout JSONCursor) throws(JSONError) -> Double {
        let start = cursor.position
        try cursor.number()
        guard let number = Double(String(decoding: cursor.bytes[start..<cursor.position], as: UTF8.self)),
            number.isFinite
        else { throw cursor.failure("a number that a double can hold is expected") }
        return number
    }
}

extension JSON: CustomStringConvertible {
    /// The value as compact JSON text, members sorted by name: equal values give equal texts.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag.description
        case .number(let number): Int(exactly: number).map(String.init) ?? number.description
        case .string(let text): JSONQuoting.quoted(text)
        case .array(let elements): "[" + elements.map(\.description).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSONQuoting.quoted($0.key)):\($0.value)" }
                .joined(separator: ",") + "}"
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// A truth value.
    public init(booleanLiteral flag: Bool) { self = .bool(flag) }
    /// A whole number.
    public init(integerLiteral number: Int) { self = .number(Double(number)) }
    /// A string.
    public init(stringLiteral text: String) { self = .string(text) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of two members with one name the second counts.
    public init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(Dictionary(members, uniquingKeysWith: { $1 }))
    }
}
