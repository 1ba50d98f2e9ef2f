// What is told to the reloader, and what it reports.

import Scripting

/// A message in the reloader's inbox.
enum ReloadMessage: Sendable {
    /// Somebody wants the scripts loaded anew.
    /// - ticket: for the admin thread, which waits for the report; nil when nobody does.
    case reload(cause: String, ticket: UInt64?)
    /// Somebody wants the certificates loaded anew.
    case reloadCertificates(cause: String)
    /// A worker's vote.
    case prepared(worker: UInt8, errors: [ScriptError])
    case committed(worker: UInt8)
    case stop
}

/// How a reload ended.
enum ReloadReport: Sendable {
    case swapped(version: UInt64, changed: [String])
    case failed([ScriptError])
}
