// The bundles that were live before, for going back. Only sources are kept, nothing of what a worker made of them.

import Scripting

/// The last bundles that were live, and the one that is.
struct BundleHistory {
    /// A bundle with the time from which it was live, in seconds since 1970.
    struct Entry {
        let bundle: ScriptBundle
        let loadedAt: Int
    }

    private static let kept = 5

    private(set) var live: Entry
    /// The oldest first.
    private(set) var previous: [Entry] = []

    init(live: ScriptBundle, loadedAt: Int) {
        self.live = Entry(bundle: live, loadedAt: loadedAt)
    }

    /// Makes a bundle the live one. What has the same sources as the new one is not worth going back to.
    mutating func push(_ bundle: ScriptBundle, loadedAt: Int) {
        if live.bundle.hash != bundle.hash { previous.append(live) }
        live = Entry(bundle: bundle, loadedAt: loadedAt)
        if previous.count > Self.kept { previous.removeFirst() }
    }

    /// The bundle of a version, or of the one before the live one; nil when it is not kept.
    func bundle(of version: UInt64?) -> ScriptBundle? {
        guard let version else { return previous.last?.bundle }
        return previous.last { $0.bundle.version == version }?.bundle
    }
}
