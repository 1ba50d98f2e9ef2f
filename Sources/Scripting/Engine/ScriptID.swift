// A script by number.

/// A script's name as a small number, the same for the life of an engine, so that a connection keeps its script across
/// reloads.
public struct ScriptID: Hashable, Sendable {
    let index: Int32
}
