// What a key of the admin API may be used for.

/// A part of the admin API that a key opens.
public enum AdminScope: String, Sendable, CaseIterable {
    /// Pushing messages to channels and connections.
    case publish
    /// Looking: lists, counts, the node, the scripts' state.
    case read
    /// Changing: closing connections, reloading scripts.
    case manage
}
