// A request head that was accepted: its bytes, and a table of where things are in them. Strings are made when somebody
// asks.
//
// Allocates: nothing to look a field up; one string for each value handed out.
// Read next: RequestHead+Fields.swift.

/// The request line and fields of one request (RFC 9112, sections 3 and 5).
public struct RequestHead: Sendable {
    /// The head as it was received, from the method to the blank line, both included.
    ///
    /// All else can be had from them again with `init(validated:)`, so who must keep a head for long keeps only these.
    public let bytes: [UInt8]
    /// How the body that follows is framed.
    public let body: BodyFraming
    /// Whether the peer wants to send another request on the connection (RFC 9112, section 9.3).
    public let keepAlive: Bool
    /// Whether the peer holds its body back until it gets `100 Continue`; never true when there is no body.
    public let expectsContinue: Bool

    let line: RequestLine
    let table: [FieldLine]

    /// Takes over what a reader has read, when its lines agree with each other.
    init(_ bytes: [UInt8], readBy reader: HeadReader, maxBody: Int) throws(HTTPError) {
        guard let line = reader.requestLine else { throw .badRequestLine }
        body = try reader.rules.framing(for: line, maxBody: maxBody)
        keepAlive = reader.rules.keepsAlive(line)
        expectsContinue = reader.rules.expectsContinue && line.minorVersion > 0 && body != .none
        self.bytes = bytes
        self.line = line
        table = reader.fields
    }

    /// Opens the `bytes` of a head that was accepted before; nil when they never were a whole head.
    ///
    /// No limit is applied again: they may have been lowered since.
    public init?(validated bytes: [UInt8]) {
        let limits = HTTPLimits.accepted
        var reader = HeadReader()
        guard let end = try? unsafe reader.read(bytes.span.bytes, within: limits), end == bytes.count,
            let head = try? RequestHead(bytes, readBy: reader, maxBody: limits.maxBody)
        else { return nil }
        self = head
    }

    /// The method, `other` when it is none of those that the server tells apart.
    public var method: HTTPMethod { line.method }

    /// The method as it was sent.
    public var methodText: String { text(0..<Int(line.methodLength)) }

    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    public var minorVersion: Int { Int(line.minorVersion) }

    /// The target as it was sent: origin-form, absolute-form or `*`.
    public var target: String { text(line.target.whole.offsets) }

    /// The path of the target before any `?`, still percent-encoded; `/` when an absolute target has none.
    public var path: String { line.target.path.count == 0 ? "/" : text(line.target.path.offsets) }

    /// What follows the first `?` of the target, still percent-encoded; nil without a `?`.
    public var query: String? { line.target.query.map { text($0.offsets) } }

    /// The host and port that the request is for; nil only in HTTP/1.0.
    ///
    /// The authority of an absolute target wins over the Host field (RFC 9112, section 3.2.2).
    public var host: String? { line.target.authority.map { text($0.offsets) } ?? first("host") }

    func text(_ range: Range<Int>) -> String { unsafe bytes.span.bytes.string(range) }
}

extension RequestHead: Equatable {
    /// Two heads are equal when their bytes are; everything else follows from these.
    public static func == (one: RequestHead, other: RequestHead) -> Bool { one.bytes == other.bytes }
}
