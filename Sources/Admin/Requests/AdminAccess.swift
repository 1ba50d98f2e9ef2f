// Access to the admin API: routes, keys and scopes, and the rule that keeps web pages away from an API without keys.
//
// Runs on: the admin thread.
// Read next: AdminRoute.swift.

import EventLoop
import HTTP1
import Proxies
import Settings

/// Finds the route of a request, and decides whether its sender may use it.
struct AdminAccess {
    private let keys: [AdminKey]
    private let scheme: String
    /// The name of the key of the last request; empty where it has none.
    private var sender = ""
    /// A `Host` that was found to name this machine. Clients send the same one in every request.
    private var lastLocalHost = ""

    init(_ configuration: Configuration.Admin) {
        keys = configuration.keys
        scheme = configuration.tls ? "https" : "http"
    }

    /// The call for a request, with its handler or the reason why it has none.
    mutating func call(for head: RequestHead, requestID: String, on connection: AdminConnection) -> AdminCall {
        let path = head.pathBytes
        let method = head.method == .head ? .get : head.method
        var others: [String] = []
        var isSpeltOut = false
        for route in AdminRoute.all {
            if isSpeltOut && route.isOpen { break }
            guard let parameters = route.match(path) else { continue }
            isSpeltOut = isSpeltOut || !route.isOpen
            guard route.method == method else {
                others.append(route.method == .get ? "GET, HEAD" : "\(route.method)".uppercased())
                continue
            }
            var refusal: AdminError?
            if let scope = route.scope { refusal = self.refusal(of: head, from: connection.peer, needing: scope) }
            return AdminCall(
                head: head, parameters: parameters, requestID: requestID, handler: route.handler, refusal: refusal,
                isPush: route.isPush, streams: route.streams, sender: sender,
                connection: connection)
        }
        var refusal = self.refusal(of: head, from: connection.peer, needing: nil)
        if others.isEmpty, refusal == nil { refusal = .notFound }
        return AdminCall(
            head: head, requestID: requestID, handler: Self.methodNotAllowed(others), refusal: refusal,
            connection: connection)
    }

    private static func methodNotAllowed(_ methods: [String]) -> AdminRoute.Handler {
        let allowed = methods.joined(separator: ", ")
        return { (_, call) throws(AdminError) in
            var response = AdminError.methodNotAllowed.saying("this path takes \(allowed)").response
            response.fields.append(("Allow", allowed))
            call.answer(response)
        }
    }

    /// Why the sender may not do this, nil when it may.
    /// - Parameter scope: nil asks only whether the sender is known.
    private mutating func refusal(
        of head: RequestHead, from peer: SocketAddress, needing scope: AdminScope?
    ) -> AdminError? {
        sender = ""
        // No web page reaches a UNIX socket; the mode of its file says which users may.
        guard !keys.isEmpty else { return peer.isUnix ? nil : pageRefusal(head) }
        guard let given = Self.givenKey(head) else { return .keyMissing }
        // Every key is compared, so that the time does not tell which one came near.
        var found: AdminKey?
        for key in keys where Self.isEqualInConstantTime(key.key, given) { found = key }
        guard let found else { return .keyUnknown }
        sender = found.name
        guard let scope, !found.scopes.contains(scope) else { return nil }
        return AdminError.scopeMissing.saying("the key '\(found.name)' lacks the scope '\(scope.rawValue)'")
    }

    private static func givenKey(_ head: RequestHead) -> String? {
        if let key = head.first("x-api-key") { return key }
        guard let authorization = head.first("authorization") else { return nil }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    static func isEqualInConstantTime(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var difference = UInt8(left.count == right.count ? 0 : 1)
        for index in right.indices { difference |= right[index] ^ (left.isEmpty ? 0xFF : left[index % left.count]) }
        return difference == 0
    }

    /// Without keys, every program on this machine may push; a web page in the operator's browser must not. A page's requests carry
    /// its origin, or (by DNS rebinding) a host name that is not this machine's.
    private mutating func pageRefusal(_ head: RequestHead) -> AdminError? {
        guard let host = head.host, isThisMachine(host) else { return .hostNotAllowed }
        if let origin = head.first("origin"), origin.lowercased() != "\(scheme)://\(host.lowercased())" {
            return .originNotAllowed
        }
        if let site = head.first("sec-fetch-site"), site != "same-origin", site != "none" { return .originNotAllowed }
        return nil
    }

    private mutating func isThisMachine(_ host: String) -> Bool {
        if host == lastLocalHost { return true }
        guard LocalName.isMeant(by: host) else { return false }
        lastLocalHost = host
        return true
    }
}
