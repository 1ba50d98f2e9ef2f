// The reloader's messages, and its reports.

package import Scripting

/// A message in the reloader's inbox.
package enum ReloadMessage: Sendable {
    /// Make other scripts live.
    case request(ReloadRequest)
    /// Load the certificates anew.
    case reloadCertificates(cause: String)
    /// A worker's vote on the new bundle.
    case prepared(worker: UInt8, round: UInt64, errors: [ScriptError], needsMigration: Bool)
    /// A worker's vote on its migrations; without an error it stands still until it is told how the vote ended.
    case migrated(worker: UInt8, round: UInt64, errors: [ScriptError])
    case committed(worker: UInt8, round: UInt64)
    /// No worker may be left waiting.
    case stop
}

/// A request for other scripts.
package struct ReloadRequest: Sendable {
    package enum Kind: Sendable {
        /// The folder's present files.
        case folder
        /// An earlier version; nil for the one before the live one.
        case rollback(to: UInt64?)
        /// The folder's files, with this one among them.
        case upload(ScriptPath, text: [UInt8])

        package var isFolder: Bool {
            if case .folder = self { true } else { false }
        }
    }

    package let kind: Kind
    /// The origin of the request, for the log.
    package let cause: String
    /// For the admin thread, which waits for the report; nil when no request does.
    package let ticket: UInt64?

    package init(kind: Kind, cause: String, ticket: UInt64?) {
        self.kind = kind
        self.cause = cause
        self.ticket = ticket
    }

    package static let fileChange = "file change"
    package static let signal = "signal"
    package static let adminAPI = "admin API"
}

/// How a reload ended.
package enum ReloadReport: Sendable {
    /// - rolledBackTo: the version whose sources are live again under the new number.
    /// - late: workers that did not swap in time, and their present work; they swap as soon as they can.
    case swapped(version: UInt64, changed: [String], rolledBackTo: UInt64?, late: [String])
    case failed([ScriptError])
    /// It could not be tried, or an uploaded file could not be written.
    case refused(Refusal)

    /// The reason why no reload was tried.
    package enum Refusal: Sendable {
        /// Workers did not answer in time; with their present work.
        case workerLate(String)
        /// The file cannot be written; with the reason.
        case notWritten(String)
        /// The version is not kept; with those that are.
        case versionNotKept(String)
        case noPreviousVersion

        package var message: String {
            switch self {
            case .workerLate(let message), .notWritten(let message), .versionNotKept(let message): message
            case .noPreviousVersion: "there is no previous version of the scripts to go back to"
            }
        }
    }
}
