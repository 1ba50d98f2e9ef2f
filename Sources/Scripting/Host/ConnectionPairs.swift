// The properties of a connection that are names and values.

/// A list property of `conn`.
public enum ConnectionPairs: Sendable {
    /// `conn.query`: the decoded query, in order.
    case query
    /// `conn.headers`: the upgrade's fields, in order, names in lower case.
    case headers
}
