// What is live, as other threads may know it: for answers, the start-up lines, and the log.

import Scripting

/// The live version of the scripts.
struct LiveScripts: Sendable {
    struct Script: Sendable {
        let name: String
        let file: String
        let route: String
        let hash: String
        /// Seconds since 1970 from which this text is live.
        let loadedAt: Int
    }

    /// A version that was live before and is kept.
    struct Version: Sendable {
        let version: UInt64
        let loadedAt: Int
        let hash: String
    }

    var version: UInt64 = 0
    /// Seconds since 1970.
    var loadedAt = 0
    var hash = ""
    var scripts: [Script] = []
    /// The newest first.
    var previous: [Version] = []
    /// The sources; nil before the start.
    var bundle: ScriptBundle?
    /// By path, since when a file has been as it is.
    var fileTimes: [String: Int] = [:]

    init() {}

    /// - Parameter before: what was live until now; files that are the same keep their time.
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
