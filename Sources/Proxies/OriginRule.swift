// The web pages that may open a connection. A browser lets any page do so, with the user's cookies, and the server must check
// Origin. Other programs send no Origin, and could send any.
//
// Read next: Origin.swift.

/// One kind of origin that may connect.
public enum OriginRule: Hashable, Sendable {
    /// Every origin: `*`.
    case any
    /// Pages of the same host and port as the request: `same-origin`.
    case sameOrigin
    /// Pages without an origin, such as those of local files and sandboxed frames: `null`.
    case null
    /// One origin: `https://example.com`.
    case exact(Origin)
    /// The subdomains of a host, at any depth: `https://*.example.com`. The value is the host's own origin.
    case subdomains(of: Origin)

    /// Parses a rule of the configuration; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "*": self = .any
        case "same-origin": self = .sameOrigin
        case "null": self = .null
        default:
            guard let (scheme, authority) = Origin.split(text) else { return nil }
            if authority.hasPrefix("*.") {
                guard let origin = Origin("\(scheme)://\(authority.dropFirst(2))"), Self.hasSubdomains(origin) else {
                    return nil
                }
                self = .subdomains(of: origin)
            } else {
                guard let origin = Origin(text) else { return nil }
                self = .exact(origin)
            }
        }
    }

    /// Only names have subdomains; addresses do not.
    private static func hasSubdomains(_ origin: Origin) -> Bool {
        NumericAddress.parse(origin.host, port: 0) == nil && !origin.host.hasPrefix("[") && !origin.host.hasPrefix(".")
    }

    /// Whether the rule allows an origin.
    /// - Parameters:
    ///   - origin: the parsed field; nil for a value that is no origin, such as `null`.
    ///   - text: the field as it was sent.
    ///   - host: the host and port of the request.
    private func allows(_ origin: Origin?, text: String, host: String?) -> Bool {
        switch self {
        case .any: return true
        case .null: return text == "null"
        case .sameOrigin: return host.map { origin?.isSame(asHost: $0) ?? false } ?? false
        case .exact(let allowed): return origin == allowed
        case .subdomains(let parent):
            guard let origin, origin.scheme == parent.scheme, origin.port == parent.port else { return false }
            return origin.host.utf8.count > parent.host.utf8.count + 1 && origin.host.hasSuffix("." + parent.host)
        }
    }

    /// Whether the rules allow a request, given its Origin fields.
    /// - Parameters:
    ///   - origins: the values of all Origin fields. Without one the request comes from no web page and is allowed. No browser
    ///     sends several; only `*` allows them.
    ///   - host: the host and port of the request.
    ///   - rules: the allowed origins; an empty list means `same-origin`.
    public static func allow(origins: [String], host: String?, rules: [OriginRule]) -> Bool {
        guard let text = origins.first else { return true }
        guard origins.count == 1 else { return rules.contains(.any) }
        let origin = Origin(text)
        return (rules.isEmpty ? [.sameOrigin] : rules).contains { $0.allows(origin, text: text, host: host) }
    }
}

extension OriginRule: CustomStringConvertible {
    /// The rule as in the configuration.
    public var description: String {
        switch self {
        case .any: "*"
        case .sameOrigin: "same-origin"
        case .null: "null"
        case .exact(let origin): "\(origin)"
        case .subdomains(let parent):
            "\(parent)".replacing("://", with: "://*.")
        }
    }
}
