// Who may ask what: routes, keys and scopes, and the rule that keeps web pages away from an API without keys.

import EventLoop
import HTTP1
import Settings

extension AdminServer {
    /// What is to be done with a request, or why not.
    struct Routing {
        var handler: AdminRoute.Handler?
        var parameters: [String: String] = [:]
        var error: AdminError?
    }

    func route(_ head: RequestHead, peer: SocketAddress) -> Routing {
        let parts = AdminRoute.parts(of: head.path)
        let method = head.method == .head ? .get : head.method
        var others: [String] = []
        var isSpeltOut = false
        for route in AdminRoute.all {
            if isSpeltOut && route.isOpen { break }
            guard let parameters = route.match(parts) else { continue }
            isSpeltOut = isSpeltOut || !route.isOpen
            guard route.method == method else {
                others.append(route.method == .get ? "GET, HEAD" : "\(route.method)".uppercased())
                continue
            }
            let error = route.scope.flatMap { refusal(of: head, from: peer, needing: $0) }
            return Routing(handler: route.handler, parameters: parameters, error: error)
        }
        if let error = refusal(of: head, from: peer, needing: nil) { return Routing(error: error) }
        guard !others.isEmpty else { return Routing(error: .notFound) }
        let allowed = others.joined(separator: ", ")
        return Routing(
            handler: { (_, call) throws(AdminError) in
                var response = AdminError.methodNotAllowed.saying("this path takes \(allowed)").response
                response.fields.append(("Allow", allowed))
                call.answer(response)
            })
    }

    /// Why the sender may not do this, nil when it may.
    /// - Parameter scope: nil asks only whether the sender is known.
    private func refusal(of head: RequestHead, from peer: SocketAddress, needing scope: AdminScope?) -> AdminError? {
        let keys = node.configuration.admin.keys
        // No web page reaches a UNIX socket; who may is said by the mode of its file.
        guard !keys.isEmpty else { return peer.isUnix ? nil : pageRefusal(head) }
        guard let given = givenKey(head) else { return .keyMissing }
        // Every key is compared, so that the time tells nothing about which one came near.
        var found: AdminKey?
        for key in keys where Self.isEqualInConstantTime(key.key, given) { found = key }
        guard let found else { return .keyUnknown }
        guard let scope, !found.scopes.contains(scope) else { return nil }
        return AdminError.scopeMissing.saying("the key '\(found.name)' has not the scope '\(scope.rawValue)'")
    }

    private func givenKey(_ head: RequestHead) -> String? {
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

    /// Without keys, whoever reaches the loopback port may push; a web page that the operator's browser shows must not. Its
    /// requests carry its origin, or (by DNS rebinding) a host name that is not this machine's.
    private func pageRefusal(_ head: RequestHead) -> AdminError? {
        guard let host = head.host, isThisMachine(host) else { return .hostNotAllowed }
        let scheme = node.configuration.admin.tls ? "https" : "http"
        if let origin = head.first("origin"), origin.lowercased() != "\(scheme)://\(host.lowercased())" {
            return .originNotAllowed
        }
        if let site = head.first("sec-fetch-site"), site != "same-origin", site != "none" { return .originNotAllowed }
        return nil
    }

    /// Clients say the same host in every request, so the last good one is remembered.
    private func isThisMachine(_ host: String) -> Bool {
        if host == lastLocalHost { return true }
        guard LocalName.isMeant(by: host) else { return false }
        lastLocalHost = host
        return true
    }
}
