// The one place where the version is written.

/// The server's version.
public enum PerigeeVersion {
    /// Semantic versioning: major.minor.patch.
    public static let text = "0.1.0"
}
