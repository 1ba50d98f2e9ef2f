// A key of the admin API. Its secret never appears where a value is printed, dumped or logged as a whole.

/// A key that opens the admin API, within its scopes.
public struct AdminKey: Sendable, Equatable {
    /// What logs and answers call this key: 1 to 64 of `A–Z a–z 0–9 _ . -`, unique among the keys.
    public var name: String
    /// The secret that a request presents, at least 16 characters.
    public var key: String
    /// What the key may be used for.
    public var scopes: Set<AdminScope>

    /// A key with a name, its secret, and what it may be used for.
    public init(name: String, key: String, scopes: Set<AdminScope> = Set(AdminScope.allCases)) {
        self.name = name
        self.key = key
        self.scopes = scopes
    }
}

extension AdminKey: CustomStringConvertible, CustomReflectable {
    /// The name and the scopes, without the secret.
    public var description: String {
        "AdminKey(\(name): \(AdminScope.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: " ")))"
    }

    /// A mirror without the secret, so that dumping a configuration does not show it.
    public var customMirror: Mirror {
        Mirror(self, children: ["name": name, "key": Configuration.hidden, "scopes": scopes])
    }
}
