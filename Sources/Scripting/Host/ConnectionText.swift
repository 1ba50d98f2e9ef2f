// The properties of a connection that are text.

/// A text property of `conn`, `nil` in Lua when it is absent.
public enum ConnectionText: Sendable, CaseIterable {
    /// The connection's opaque identifier, `conn.id`.
    case id
    /// Who it was identified as, `conn.user`.
    case user
    /// The client's address, `conn.ip`.
    case ip
    /// The path it connected to, `conn.path`.
    case path
    /// The subprotocol that was agreed, `conn.subprotocol`.
    case subprotocol
    /// The subject of the client's certificate as RFC 2253 text, `conn.certificate`.
    case certificate
}
