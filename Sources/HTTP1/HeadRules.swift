// The fields that decide about the message as a whole: the end of its body, its host, the persistence of the connection. Every
// ambiguity among them comes from an attack or a broken peer, so the request is refused (RFC 9112, sections 3.2, 6.3 and 11.2).

/// The properties of the message as a whole by the fields so far.
struct HeadRules {
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var hasHost = false
    private(set) var expectsContinue = false
    private var expectsOther = false
    private var saysClose = false
    private var saysKeepAlive = false

    /// Notes a field; throws when it is wrong whatever else follows.
    mutating func note(_ field: FieldLine, of head: RawSpan) throws(HTTPError) {
        let name = field.name.offsets
        switch name.count {
        case 4 where head.holdsIgnoringCase("host", at: name):
            try noteHost(field.value.offsets, of: head)
        case 6 where head.holdsIgnoringCase("expect", at: name):
            let counts = head.countElements(of: field.value.offsets, equalTo: "100-continue")
            expectsContinue = expectsContinue || counts.equal > 0
            expectsOther = expectsOther || counts.other > 0
        case 10 where head.holdsIgnoringCase("connection", at: name):
            saysClose = saysClose || head.listHolds("close", in: field.value.offsets)
            saysKeepAlive = saysKeepAlive || head.listHolds("keep-alive", in: field.value.offsets)
        case 14 where head.holdsIgnoringCase("content-length", at: name):
            try noteContentLength(field.value.offsets, of: head)
        case 17 where head.holdsIgnoringCase("transfer-encoding", at: name):
            guard !isChunked, head.holdsIgnoringCase("chunked", at: field.value.offsets) else {
                throw .unsupportedTransferEncoding
            }
            isChunked = true
        default:
            break
        }
    }

    /// The framing of the body, once all fields are known; throws when the fields contradict each other.
    func framing(for line: RequestLine, maxBody: Int) throws(HTTPError) -> BodyFraming {
        if !hasHost, line.minorVersion > 0 { throw .missingHost }
        // HTTP/1.0 has neither chunks nor 100 Continue (RFC 9112, section 6.1; RFC 9110, section 10.1.1).
        if isChunked, line.minorVersion == 0 { throw .unsupportedTransferEncoding }
        if expectsOther, line.minorVersion > 0 { throw .expectationFailed }
        if isChunked, contentLength != nil { throw .conflictingLength }
        if isChunked { return .chunked }
        guard let contentLength else { return .none }
        guard contentLength <= maxBody else { throw .bodyTooLarge }
        return .length(contentLength)
    }

    /// Whether the peer keeps the connection open for another request (RFC 9112, section 9.3).
    func keepsAlive(_ line: RequestLine) -> Bool {
        !saysClose && (line.minorVersion > 0 || saysKeepAlive)
    }

    private mutating func noteHost(_ value: Range<Int>, of head: RawSpan) throws(HTTPError) {
        guard !hasHost else { throw .severalHosts }
        guard Authority.isValid(value, of: head) else { throw .badHost }
        hasHost = true
    }

    private mutating func noteContentLength(_ value: Range<Int>, of head: RawSpan) throws(HTTPError) {
        guard contentLength == nil else { throw .conflictingLength }
        // 18 digits always fit an Int.
        guard 1...18 ~= value.count else { throw .badContentLength }
        var length = 0
        for offset in value {
            guard head[offset].isDigit else { throw .badContentLength }
            length = length * 10 + Int(head[offset] - ASCII.zero)
        }
        contentLength = length
    }
}
