// What a request comes to: the bundle that is to be live, and what else happens when it is.

import Scripting

/// A bundle on its way to the workers.
struct ReloadPlan {
    let bundle: ScriptBundle
    /// The version whose sources these are.
    var rolledBackTo: UInt64?
    /// The file that is to be in its place when the bundle is live.
    var upload: StagedFile?
}
