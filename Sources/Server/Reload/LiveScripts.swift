// What is live, as other threads may know it: for answers, the start-up lines, and the log.

import Scripting

/// The live version of the scripts.
struct LiveScripts: Sendable {
    struct Script: Sendable {
        let name: String
        let file: String
        let route: String
        let hash: String
    }

    var version: UInt64 = 0
    /// Seconds since 1970.
    var loadedAt = 0
    var scripts: [Script] = []
}
