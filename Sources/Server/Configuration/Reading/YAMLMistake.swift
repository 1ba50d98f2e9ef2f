// What is wrong with a text as YAML, before any key is looked at.

/// A mistake in the YAML itself: what, and where.
struct YAMLMistake: Error, Equatable {
    let message: String
    let position: YAMLNode.Position?
}
