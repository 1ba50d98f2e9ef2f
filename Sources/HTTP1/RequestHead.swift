// An accepted request head: its bytes, and a table of the places of its parts. Strings are made when a caller asks for
// them. Names of fields are compared in place, in any case (RFC 9110, section 5.1).
//
// Allocates: nothing to look a field up; one string for each value returned.

/// The request line and fields of one request (RFC 9112, sections 3 and 5).
public struct RequestHead: Sendable {
    /// The head as it was received, from the method to the blank line, both included.
    ///
    /// `init(validated:)` makes the head from them again, so these bytes are enough to keep a head for long.
    public let bytes: [UInt8]
    /// The framing of the body that follows.
    public let body: BodyFraming
    /// Whether the peer keeps the connection open for another request (RFC 9112, section 9.3).
    public let keepAlive: Bool
    /// Whether the peer sends its body only after `100 Continue`; never true when there is no body.
    public let expectsContinue: Bool

    let line: RequestLine
    let table: [FieldLine]

    /// Takes the results of a reader; throws when its lines contradict each other.
    init(_ bytes: [UInt8], readBy reader: HeadReader, maxBody: Int) throws(HTTPError) {
        guard let line = reader.requestLine else { throw .badRequestLine }
        body = try reader.rules.framing(for: line, maxBody: maxBody)
        keepAlive = reader.rules.keepsAlive(line)
        expectsContinue = reader.rules.expectsContinue && line.minorVersion > 0 && body != .none
        self.bytes = bytes
        self.line = line
        table = reader.fields
    }

    /// Reads the `bytes` of a head that was accepted before; nil when they are no whole head.
    ///
    /// Applies no limits, because they may be lower now than they were then.
    public init?(validated bytes: [UInt8]) {
        let limits = HTTPLimits.accepted
        var reader = HeadReader()
        guard let end = try? unsafe reader.read(bytes.span.bytes, within: limits), end == bytes.count,
            let head = try? RequestHead(bytes, readBy: reader, maxBody: limits.maxBody)
        else { return nil }
        self = head
    }

    /// The method; `other` when the server does not distinguish it.
    public var method: HTTPMethod { line.method }

    /// The method as it was sent.
    public var methodText: String { text(0..<Int(line.methodLength)) }

    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    public var minorVersion: Int { Int(line.minorVersion) }

    /// The target as it was sent: origin-form, absolute-form or `*`.
    public var target: String { text(line.target.whole.offsets) }

    /// The path of the target before any `?`, still percent-encoded; `/` when an absolute target has none.
    public var path: String { line.target.path.count == 0 ? "/" : text(line.target.path.offsets) }

    /// The bytes of `path`.
    public var pathBytes: ArraySlice<UInt8> {
        line.target.path.count == 0 ? [ASCII.slash] : bytes[line.target.path.offsets]
    }

    /// The part of the target behind the first `?`, still percent-encoded; nil without a `?`.
    public var query: String? { line.target.query.map { text($0.offsets) } }

    /// The host and port of the request; nil only in HTTP/1.0.
    ///
    /// The authority of an absolute target takes precedence over the Host field (RFC 9112, section 3.2.2).
    public var host: String? { line.target.authority.map { text($0.offsets) } ?? first("host") }

    func text(_ range: Range<Int>) -> String { unsafe bytes.span.bytes.string(range) }
}

extension RequestHead: Equatable {
    /// Two heads are equal when their bytes are; all other parts follow from them.
    public static func == (one: RequestHead, other: RequestHead) -> Bool { one.bytes == other.bytes }
}

/// How the end of a request's body is found (RFC 9112, section 6).
public enum BodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// This many bytes follow; may be 0.
    case length(Int)
    /// Chunks follow until one of size 0.
    case chunked
}

extension RequestHead {
    /// The value of the first field with this name. A value that is not UTF-8 is read as ISO-8859-1.
    public func first(_ name: String) -> String? {
        let head = unsafe bytes.span.bytes
        for field in table where head.holdsIgnoringCase(name, at: field.name.offsets) {
            return head.string(field.value.offsets)
        }
        return nil
    }

    /// The values of all fields with this name, in the order they were sent.
    public func all(_ name: String) -> [String] {
        let head = unsafe bytes.span.bytes
        var values: [String] = []
        for field in table where head.holdsIgnoringCase(name, at: field.name.offsets) {
            values.append(head.string(field.value.offsets))
        }
        return values
    }

    /// The values of all fields with this name, joined by `, ` (RFC 9110, section 5.3); nil without such a field.
    public func joined(_ name: String) -> String? {
        let values = all(name)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    /// Whether a token is in the comma-separated list of any field with this name, ignoring the case of ASCII letters.
    public func hasToken(_ token: String, in name: String) -> Bool {
        let head = unsafe bytes.span.bytes
        for field in table where head.holdsIgnoringCase(name, at: field.name.offsets) {
            if head.listHolds(token, in: field.value.offsets) { return true }
        }
        return false
    }

    /// All fields in the order they were sent, names in lower case.
    public var fields: Fields { Fields(head: self) }

    /// The fields of a head. Each is made when it is accessed: its name, and the bytes of its value, which need not be UTF-8.
    public struct Fields: RandomAccessCollection, Sendable {
        let head: RequestHead

        public var startIndex: Int { 0 }

        public var endIndex: Int { head.table.count }

        public subscript(index: Int) -> (name: String, value: [UInt8]) {
            let field = head.table[index]
            return (head.text(field.name.offsets).lowercased(), unsafe head.bytes.span.bytes.array(field.value.offsets))
        }
    }
}
