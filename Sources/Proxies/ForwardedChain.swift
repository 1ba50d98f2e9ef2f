// The client's address behind proxies that name it in a header field. Each proxy appends the address from which it got the
// request, so the right end of the list is reliable as far as the proxies are ours. Anybody could have written the part
// further left.
//
// Allocates: a few short strings per request that comes from a proxy.
// Read next: IPNetwork.swift, NumericAddress.swift.

public import EventLoop

/// A list of addresses to which each proxy has appended one.
public struct ForwardedChain: Sendable {
    /// The field that holds the list.
    public enum Field: Sendable {
        /// X-Forwarded-For: addresses between commas (a de facto standard).
        case xForwardedFor
        /// Forwarded: `for=` pairs (RFC 7239).
        case forwarded

        /// The field's name in lower case.
        public var name: String {
            switch self {
            case .xForwardedFor: "x-forwarded-for"
            case .forwarded: "forwarded"
            }
        }
    }

    /// The most proxies of ours in a list. A longer list is a forgery or an accident.
    public static let mostHops = 32

    private let text: String
    private let field: Field

    /// - Parameter text: the values of all fields of that name, in order, joined by commas.
    public init(_ text: String, field: Field) {
        self.text = text
        self.field = field
    }

    /// The client's address: the first one from the right that belongs to none of our proxies. An element without an address,
    /// whether hidden or malformed, ends the search; the client is then the last known proxy.
    /// - Parameters:
    ///   - peer: the peer of the connection; unless it is trusted, it is the client.
    ///   - trusted: the networks of our proxies.
    public func client(behind peer: SocketAddress, trusted: [IPNetwork]) -> SocketAddress {
        var client = peer
        var rest = Substring(text).utf8
        var hops = 0
        while trusted.trust(client), hops < Self.mostHops, let element = Self.takeLast(of: &rest, field),
            let address = Self.address(in: element, field)
        {
            client = address
            hops += 1
        }
        return client
    }
}

// Elements are read from the right, one at a time: the client may have written the left part, so a fault there must not change how
// the right end is read.
extension ForwardedChain {
    /// Removes the last element of the list and returns it; nil when the list is empty.
    private static func takeLast(of list: inout Substring.UTF8View, _ field: Field) -> Substring.UTF8View? {
        guard !list.isEmpty else { return nil }
        var isQuoted = false
        var index = list.endIndex
        while index > list.startIndex {
            let before = list.index(before: index)
            switch list[before] {
            case UInt8(ascii: "\"") where field == .forwarded && !isEscaped(before, in: list):
                isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                let element = list[index...]
                list = list[..<before]
                return element
            default:
                break
            }
            index = before
        }
        let element = list
        list = list[list.endIndex...]
        return element
    }

    /// Whether an odd number of backslashes precedes the index.
    private static func isEscaped(_ index: Substring.UTF8View.Index, in list: Substring.UTF8View) -> Bool {
        list[..<index].reversed().prefix { $0 == UInt8(ascii: "\\") }.count % 2 == 1
    }

    /// The address in an element; nil when there is none.
    private static func address(in element: Substring.UTF8View, _ field: Field) -> SocketAddress? {
        let element = Substring(element)
        switch field {
        case .xForwardedFor: return NumericAddress.endpoint(trimmed(element), wordPorts: false)?.unmapped
        case .forwarded: return node(in: element).flatMap { NumericAddress.endpoint($0, wordPorts: true)?.unmapped }
        }
    }

    /// The value of the one `for` among the pairs of an element; nil when there is none, and when the element is malformed.
    private static func node(in element: Substring) -> String? {
        var reader = ForwardedPairReader(element)
        var node: String?
        var names: Set<String> = []
        while true {
            switch reader.next() {
            case .pair(let name, let value):
                guard names.insert(name).inserted else { return nil }
                if name == "for" { node = value }
            case .end: return node
            case .malformed: return nil
            }
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}

/// Reads the pairs of one element of Forwarded: `for="[2001:db8::1]:4711";proto=https` (RFC 7239, section 4).
private struct ForwardedPairReader {
    enum Step: Equatable {
        /// The name in lower case, the value without its quotes.
        case pair(name: String, value: String)
        case end
        case malformed
    }

    private var rest: Substring.UTF8View
    private var isFirst = true

    init(_ element: Substring) { rest = element.utf8 }

    mutating func next() -> Step {
        skipBlanks()
        if rest.isEmpty { return isFirst ? .malformed : .end }
        if !isFirst {
            guard take(UInt8(ascii: ";")) else { return .malformed }
            skipBlanks()
            // Empty pairs are allowed between others and behind them.
            while take(UInt8(ascii: ";")) { skipBlanks() }
            if rest.isEmpty { return .end }
        }
        isFirst = false
        guard let name = takeToken(), take(UInt8(ascii: "=")) else { return .malformed }
        guard let value = rest.first == UInt8(ascii: "\"") ? takeQuoted() : takeToken() else { return .malformed }
        return .pair(name: name.lowercased(), value: value)
    }

    private mutating func skipBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func takeToken() -> String? {
        let token = rest.prefix(while: Self.isTokenByte)
        guard !token.isEmpty else { return nil }
        rest = rest[token.endIndex...]
        return String(Substring(token))
    }

    /// A quoted string without its backslashes (RFC 9110, section 5.6.4).
    private mutating func takeQuoted() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                bytes.append(escaped)
            default:
                bytes.append(byte)
            }
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
