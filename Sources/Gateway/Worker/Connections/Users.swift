// The users of a worker's connections: a script says whose a connection is, frames for a user find the connections, and a limit
// bounds how many connections a user has on all workers together.
//
// Runs on: the worker's thread.
// Read next: ../../Clients/UserIndex.swift, ../../Node/ConnectionLimits.swift.

/// A worker's connections by user.
final class Users {
    private var index = UserIndex<ClientConnection>()
    /// The connections of every user on all workers; nil for any number.
    private let counts: SharedCounts<[UInt8]>?

    init(limit counts: SharedCounts<[UInt8]>?) { self.counts = counts }

    /// Whether no connection has a user.
    var isEmpty: Bool { index.isEmpty }

    /// The user's connections here, in no order that lasts.
    subscript(user: String) -> [ClientConnection] { index[user] }

    /// Makes the connection one of this user's, and no longer of the one before; nil for none. False, and nothing changed, when the
    /// user has as many connections as it may.
    @discardableResult
    func identify(_ connection: ClientConnection, as user: String?) -> Bool {
        guard count(connection, for: user) else { return false }
        if let old = connection.user { index.remove(connection, of: old) }
        if let user { index.insert(connection, of: user) }
        guard user != nil || connection.extras != nil else { return true }
        connection.makeExtras().value.user = user
        return true
    }

    private func count(_ connection: ClientConnection, for user: String?) -> Bool {
        guard let counts else { return true }
        let old = connection.user.map { Array($0.utf8) }
        let new = user.map { Array($0.utf8) }
        if old == new { return true }
        if let new, !counts.take(new) { return false }
        if let old { counts.release(old) }
        return true
    }
}
