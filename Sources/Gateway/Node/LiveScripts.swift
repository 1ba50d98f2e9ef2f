// The live scripts as other threads know them: for answers, the start-up lines, and the log.

package import Scripting

/// The live version of the scripts.
package struct LiveScripts: Sendable {
    package struct Script: Sendable {
        package let name: String
        package let file: String
        package let route: String
        package let hash: String
        /// Seconds since 1970 from which this text is live.
        package let loadedAt: Int
    }

    /// A version that was live before and is kept.
    package struct Version: Sendable {
        package let version: UInt64
        package let loadedAt: Int
        package let hash: String
    }

    package var version: UInt64 = 0
    /// Seconds since 1970.
    package var loadedAt = 0
    package var hash = ""
    package var scripts: [Script] = []
    /// The newest first.
    package var previous: [Version] = []
    /// The sources; nil before the start.
    package var bundle: ScriptBundle?
    /// By path, since when a file has been as it is.
    package var fileTimes: [String: Int] = [:]

    init() {}

    /// - Parameter before: the scripts that were live until now; files that are the same keep their time.
    init(_ history: BundleHistory, before: LiveScripts) {
        let bundle = history.live.bundle
        version = bundle.version
        loadedAt = history.live.loadedAt
        hash = String(bundle.hash, radix: 16)
        self.bundle = bundle
        let changed = before.bundle.map { Set(bundle.changes(since: $0)) }
        for file in bundle.scripts + bundle.modules {
            let isNew = changed?.contains(file.path) ?? true
            fileTimes[file.path] = isNew ? loadedAt : before.fileTimes[file.path] ?? loadedAt
        }
        scripts = bundle.routes.compactMap { route in
            bundle.scripts.first { $0.name == route.script }.map { script in
                Script(
                    name: script.name, file: script.path, route: route.path, hash: String(script.hash, radix: 16),
                    loadedAt: fileTimes[script.path] ?? loadedAt)
            }
        }
        previous = history.previous.reversed().map {
            Version(version: $0.bundle.version, loadedAt: $0.loadedAt, hash: String($0.bundle.hash, radix: 16))
        }
    }
}

/// The last bundles that were live, and the one that is.
package struct BundleHistory {
    /// A bundle with the time from which it was live, in seconds since 1970.
    package struct Entry {
        package let bundle: ScriptBundle
        package let loadedAt: Int
    }

    private static let kept = 5

    package private(set) var live: Entry
    /// The oldest first.
    package private(set) var previous: [Entry] = []

    package init(live: ScriptBundle, loadedAt: Int) {
        self.live = Entry(bundle: live, loadedAt: loadedAt)
    }

    /// Makes a bundle the live one. A bundle with the same sources is not kept for a rollback.
    package mutating func push(_ bundle: ScriptBundle, loadedAt: Int) {
        if live.bundle.hash != bundle.hash { previous.append(live) }
        live = Entry(bundle: bundle, loadedAt: loadedAt)
        if previous.count > Self.kept { previous.removeFirst() }
    }

    /// The bundle of a version, or of the one before the live one; nil when it is not kept.
    package func bundle(of version: UInt64?) -> ScriptBundle? {
        guard let version else { return previous.last?.bundle }
        return previous.last { $0.bundle.version == version }?.bundle
    }
}
