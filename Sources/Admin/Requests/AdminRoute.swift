// The route table: one array, the single list of the API's requests. The documentation's page "Admin API" is made from it.
//
// Read next: ../Publishing/Push.swift, ../AdminServer+Connections.swift, ../AdminServer+Scripts.swift, ../AdminServer+Node.swift.

import Gateway
import HTTP1
import Settings

/// One method on one path.
struct AdminRoute: Sendable {
    typealias Handler = @Sendable (AdminServer, AdminCall) throws(AdminError) -> Void

    let method: HTTPMethod
    /// Parts between slashes; `{name}` takes any one part.
    let path: String
    /// The scope that a key needs; nil where none is needed.
    let scope: AdminScope?
    let summary: String
    /// The members of its JSON answer, for the documentation: those that are always there, and after a semicolon those that may
    /// be absent. For any other answer, its content.
    let answers: String
    /// Whether it pushes, so that requests of one connection may run beside each other.
    let isPush: Bool
    /// Whether the handler begins with the head, takes the body as it comes, and may answer in pieces.
    let streams: Bool
    let handler: Handler
    private let parts: [Part]
    /// Whether a part is open. A path that another route spells out is that route's, whatever the method; it stands first.
    let isOpen: Bool

    init(
        method: HTTPMethod, path: String, scope: AdminScope?, answers: String, summary: String,
        isPush: Bool = false, streams: Bool = false, handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.scope = scope
        self.answers = answers
        self.summary = summary
        self.isPush = isPush
        self.streams = streams
        self.handler = handler
        parts = path.split(separator: "/").map {
            $0.first == "{" ? .open(name: String($0.dropFirst().dropLast())) : .spelt(Array($0.utf8))
        }
        isOpen = path.contains("{")
    }

    /// What stands between two slashes of a path.
    private enum Part: Sendable {
        case spelt([UInt8])
        case open(name: String)
    }

    static let all = spelt + calls

    private static let outcome = "`id`, `matched`, `queued`, `dropped`, `version`; `displaced`, `complete`"
    private static let channelOutcome = "`channel`, " + outcome + ", `offset`, `epoch`"
    private static let connection =
        "`id`, `user`, `path`, `remoteAddress`, `subprotocol`, `compression`, `certificate`, `script`, `openedAt`, `messagesIn`, "
        + "`messagesOut`, `bytesIn`, `bytesOut`, `queuedBytes`, `roundTripMs`, `channels`, `state`"

    private static func push(
        _ path: String, _ summary: String, answers: String = outcome,
        _ read: @escaping @Sendable (AdminCall) throws(AdminError) -> Push
    ) -> AdminRoute {
        AdminRoute(method: .post, path: path, scope: .publish, answers: answers, summary: summary, isPush: true) {
            (server, call) throws(AdminError) in try server.push(call, read)
        }
    }

    /// `/v1/call/{name}` takes any method, and hands it on.
    private static let calls = [HTTPMethod.get, .post, .put, .patch, .delete].map { method in
        AdminRoute(
            method: method, path: "/v1/call/{name}", scope: .publish,
            answers: "the script's status, headers and body",
            summary: "ask `onRequest` of the script NAME; its status and body come back"
        ) { (server, call) throws(AdminError) in try server.callScript(call) }
    }

    private static let spelt: [AdminRoute] = [
        push(
            "/v1/channels/{channel}/messages",
            "push the body to a channel's subscribers (`?exclude=ID&key=KEY&history=false`)",
            answers: channelOutcome
        ) {
            (call) throws(AdminError) in try Push(toChannelOf: call)
        },
        push("/v1/connections/{id}/messages", "push the body to one connection") { (call) throws(AdminError) in
            try Push(to: .connection(call.connectionID()), call)
        },
        push("/v1/users/{user}/messages", "push the body to all connections of a user") { (call) throws(AdminError) in
            try Push(to: .user(call.parameters["user"] ?? ""), call)
        },
        push("/v1/messages", "push the body to every connection (`?path=/chat`: to those of one path)") {
            (call) throws(AdminError) in
            try Push(to: call.query.first("path").map { .path($0) } ?? .everyone, call)
        },
        push(
            "/v1/publish",
            "push as JSON: `channel`, `channels`, `connection` or `user`; `data` or `dataBase64`; `exclude`, `key`",
            answers: "`results`, one for each of `channels`; for one target the members of its result"
        ) { (call) throws(AdminError) in try Push(json: call.body) },
        AdminRoute(
            method: .post, path: "/v1/batch", scope: .publish,
            answers:
                "`results`, one for each item of an array; of lines a line each; a failed one has `error`, `status`",
            summary: "push many: an array of `/v1/publish`'s objects, or lines of them for as long as they come",
            isPush: true, streams: true
        ) { (server, call) throws(AdminError) in try server.beginBatch(call) },
        AdminRoute(
            method: .get, path: "/v1/connections", scope: .read,
            answers: "`items`, each as below, and `next`, the cursor of the next page",
            summary: "list connections (`?channel=&user=&path=&limit=&cursor=`)"
        ) { (server, call) throws(AdminError) in try server.listConnections(call) },
        AdminRoute(
            method: .get, path: "/v1/connections/{id}", scope: .read,
            answers: connection,
            summary: "one connection"
        ) { (server, call) throws(AdminError) in try server.describeConnection(call) },
        AdminRoute(
            method: .delete, path: "/v1/connections/{id}", scope: .manage,
            answers: "`id`, `code`",
            summary: "close one connection (`?code=&reason=`)"
        ) { (server, call) throws(AdminError) in try server.closeConnection(call) },
        AdminRoute(
            method: .get, path: "/v1/channels", scope: .read,
            answers: "`items`, each a name and its subscribers, and `next`",
            summary: "list channels with their subscriber counts (`?prefix=&limit=&cursor=`)"
        ) { (server, call) throws(AdminError) in try server.listChannels(call) },
        AdminRoute(
            method: .get, path: "/v1/channels/{channel}", scope: .read,
            answers: "`channel`, `subscribers`, `history`; `offset`, `epoch`",
            summary: "one channel: its subscribers, its position, and how much it keeps"
        ) { (server, call) throws(AdminError) in try server.describeChannel(call) },
        AdminRoute(
            method: .get, path: "/v1/channels/{channel}/messages", scope: .read,
            answers:
                "`items`, each offset, at, data or dataBase64, and key, and `next`; `offset`, `epoch`, `why`",
            summary: "the messages that a channel keeps (`?since=OFFSET&epoch=&limit=&reverse=true`)"
        ) { (server, call) throws(AdminError) in try server.listMessages(call) },
        AdminRoute(
            method: .delete, path: "/v1/channels/{channel}/messages", scope: .manage,
            answers: "`channel`, `cleared`; `offset`, `epoch`",
            summary: "forget the messages that a channel keeps; its position stays"
        ) { (server, call) throws(AdminError) in try server.clearMessages(call) },
        AdminRoute(
            method: .post, path: "/v1/scripts/reload", scope: .manage,
            answers: "`version`, `changed`; `late`",
            summary: "check the scripts and swap them in, on all workers or on none"
        ) { (server, call) throws(AdminError) in try server.reloadScripts(call) },
        AdminRoute(
            method: .get, path: "/v1/scripts", scope: .read,
            answers: "`version`, `hash`, `loadedAt`, `items`, `previous`, `next`",
            summary: "scripts with routes, live and previous versions, hashes, calls and errors"
        ) { (server, call) throws(AdminError) in server.listScripts(call) },
        AdminRoute(
            method: .post, path: "/v1/scripts/rollback", scope: .manage,
            answers: "`version`, `changed`, `rolledBackTo`; `late`",
            summary: "make an earlier version live again (`?version=N`, else the one before), on all workers or on none"
        ) { (server, call) throws(AdminError) in try server.rollBackScripts(call) },
        AdminRoute(
            method: .get, path: "/v1/scripts/errors", scope: .read,
            answers: "`items`, `forgotten`, `next`",
            summary: "the last 100 distinct script errors with counts, place, traceback, handler, connection"
        ) { (server, call) throws(AdminError) in server.listScriptErrors(call) },
        AdminRoute(
            method: .get, path: "/v1/scripts/{name}", scope: .read,
            answers: "`name`, `file`, `routes`, `version`, `hash`, `loadedAt`, `handlers`, `source`",
            summary: "one script or module (`games%2Fchess`, `lib%2Fwords`) with its source"
        ) { (server, call) throws(AdminError) in try server.describeScript(call) },
        AdminRoute(
            method: .put, path: "/v1/scripts/{name}", scope: .manage,
            answers: "`version`, `changed`; `late`",
            summary: "check one script, write it to the folder and swap it in (`curl -T chat.lua`; `scripts.upload`)"
        ) { (server, call) throws(AdminError) in try server.uploadScript(call) },
        AdminRoute(
            method: .get, path: "/v1/node", scope: .read,
            answers:
                "`name`, `version`, `lua`, `node`, `pid`, `state`, `uptimeSeconds`, and the [counters](Counters.md)",
            summary: "version, uptime, workers, counters, memory"
        ) { (server, call) throws(AdminError) in server.showNode(call) },
        AdminRoute(
            method: .post, path: "/v1/drain", scope: .manage,
            answers: "202 with `drainMilliseconds`",
            summary: "close all connections, spread over a time (`?over=30s`), then exit 0"
        ) { (server, call) throws(AdminError) in try server.drainServer(call) },
        AdminRoute(
            method: .post, path: "/v1/upgrade", scope: .manage,
            answers: "`pid`",
            summary: "start the program anew and hand over to it; answers when the new process serves"
        ) { (server, call) throws(AdminError) in try server.upgradeServer(call) },
        AdminRoute(
            method: .get, path: "/metrics", scope: .read,
            answers: "text in the format of Prometheus",
            summary: "the server's counters and those of its scripts, for Prometheus"
        ) { (server, call) throws(AdminError) in server.showMetrics(call) },
        AdminRoute(
            method: .get, path: "/readyz", scope: nil,
            answers: "`status`, `reasons`, `version`",
            summary: "200 while the server is ready or degraded, 503 while it starts or drains; without a key"
        ) { (server, call) throws(AdminError) in server.showReadiness(call) },
        AdminRoute(
            method: .get, path: "/healthz", scope: nil,
            answers: "the text ok",
            summary: "200 while the server runs, without a key"
        ) { (server, call) throws(AdminError) in call.answer(.text(200, "ok")) },
    ]

    /// The open parts if the path fits, decoded; nil if it does not. A path fits a route exactly, empty parts included, or not
    /// at all. An open part is never empty.
    func match(_ path: ArraySlice<UInt8>) -> PathParameters? {
        var parameters = PathParameters()
        var offset = path.startIndex
        for part in parts {
            guard offset < path.endIndex, path[offset] == UInt8(ascii: "/") else { return nil }
            offset += 1
            switch part {
            case .spelt(let text):
                guard path.endIndex - offset >= text.count else { return nil }
                for byte in text {
                    guard path[offset] == byte else { return nil }
                    offset += 1
                }
            case .open(let name):
                let end = path[offset...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
                guard end > offset else { return nil }
                // A part that does not decode becomes a control character, which is no valid name or id.
                parameters.add(name, Percent.decode(path[offset..<end]) ?? "\u{0}")
                offset = end
            }
        }
        return offset == path.endIndex ? parameters : nil
    }
}

/// The open parts of a route, as a request fills them.
struct PathParameters {
    private(set) var all: [(name: String, value: String)] = []

    /// The value of the open part with this name; nil when the route has none.
    subscript(_ name: String) -> String? { all.first { $0.name == name }?.value }

    fileprivate mutating func add(_ name: String, _ value: String) { all.append((name, value)) }
}
