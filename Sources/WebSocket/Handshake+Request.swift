// What a handshake needs to know of a request; whoever parses HTTP adapts its own type to this.

extension Handshake {
    /// The head of an HTTP request. Names of fields are given in lower case and mean the field whatever its case;
    /// values come without the white space around them.
    public protocol Request {
        /// Whether the method is GET.
        var isGet: Bool { get }
        /// The x of HTTP/1.x.
        var minorVersion: Int { get }
        /// Whether a body follows the head.
        var hasBody: Bool { get }
        /// The values of all fields of this name, in order.
        func all(_ name: String) -> [String]
        /// Whether a field of this name lists the token, given in lower case, whatever its case there (RFC 9110,
        /// 5.6.1).
        func hasToken(_ token: String, in name: String) -> Bool
    }
}
