// What is told to the reloader, and what it reports.

import Scripting

/// A message in the reloader's inbox.
enum ReloadMessage: Sendable {
    /// Somebody wants other scripts to be live.
    case request(ReloadRequest)
    /// Somebody wants the certificates loaded anew.
    case reloadCertificates(cause: String)
    /// A worker's vote on the new bundle.
    case prepared(worker: UInt8, round: UInt64, errors: [ScriptError], needsMigration: Bool)
    /// A worker's vote on its migrations; without an error it stands still until it is told how the vote ended.
    case migrated(worker: UInt8, round: UInt64, errors: [ScriptError])
    case committed(worker: UInt8, round: UInt64)
    /// No worker may be left waiting.
    case stop
}

/// What somebody wants of the reloader.
struct ReloadRequest: Sendable {
    enum Kind: Sendable {
        /// What the folder has now.
        case folder
        /// An earlier version; nil for the one before the live one.
        case rollback(to: UInt64?)
        /// What the folder has, with this file in it.
        case upload(ScriptPath, text: [UInt8])

        var isFolder: Bool {
            if case .folder = self { true } else { false }
        }
    }

    let kind: Kind
    /// Who asked, for the log.
    let cause: String
    /// For the admin thread, which waits for the report; nil when nobody does.
    let ticket: UInt64?

    static let fileChange = "file change"
    static let signal = "signal"
    static let adminAPI = "admin API"
}

/// How a reload ended.
enum ReloadReport: Sendable {
    /// - rolledBackTo: the version whose sources are live again under the new number.
    /// - late: workers that have not come to it in time, and what they do instead; they swap as soon as they can.
    case swapped(version: UInt64, changed: [String], rolledBackTo: UInt64?, late: [String])
    case failed([ScriptError])
    /// It could not even be tried, or what it had to write could not be written.
    case refused(AdminError)
}
