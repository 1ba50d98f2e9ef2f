// From the first byte to the 101: requests are parsed in the receive buffer, the handshake is checked, the script is asked, and
// what is no WebSocket gets its plain answer.

import ClientProtocols
import EventLoop
import HTTP1
import Logging
import Proxies
import Scripting
import Settings
import WebSocket

extension ClientConnection {
    func receiveRequest(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let state = handshake else { return }
        if !isBusy, waitsWithInput(of: bytes.count) { return holdBack(bytes) }
        let input = UnsafeRawBufferPointer(bytes).bytes
        var offset = 0
        while phase == .handshake, isWritable, !isBusy {
            switch state.parser.next(input, from: &offset) {
            case .needMore:
                return
            case .head(let head):
                answer(head, state)
            case .body:
                break
            case .end:
                if phase == .handshake { awaitNextRequest(state) }
            case .failure(let error):
                refuse(.text(error.status, error.reason))
            }
        }
        if let script { worker.noteEvent(.handler(.upgrade, script)) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
        if isBusy && phase == .handshake {
            holdBack(rest)
        } else if phase == .open || phase == .closing, !rest.isEmpty {
            receiveFrames(rest)
        }
    }

    func handshakeIsLate() {
        guard let state = handshake else { return abort() }
        if awaitsPreamble {
            // Whoever is behind the proxy that says nothing may not even speak HTTP.
            worker.count(.handshakeTimeout)
            return abort()
        }
        if state.parser.isIdle && state.answered > 0 { return finish() }
        worker.count(.handshakeTimeout)
        refuse(.text(408, "the request was not complete in time"))
    }

    /// The time for the next request; all plain ones together have theirs, too.
    private func awaitNextRequest(_ state: HandshakeState) {
        let left = state.plainTimeLeft(of: worker.handshakeLimits.plainTime, now: worker.loop.now)
        setDeadline(milliseconds: min(worker.timeouts.handshake, left))
    }

    private func answer(_ head: RequestHead, _ state: HandshakeState) {
        switch Handshake.evaluate(HandshakeRequest(head: head), offers: worker.handshakeLimits.offers) {
        case .notAnUpgrade:
            answerPlainly(head, state)
        case .refuse(let status, let reason, let fields):
            var response = Response.text(status, reason)
            response.fields += fields.map { (name: $0.0, value: $0.1) }
            refuse(response, omitBody: head.method == .head)
        case .accept(let acceptance):
            upgrade(head, acceptance)
        }
    }

    private func answerPlainly(_ head: RequestHead, _ state: HandshakeState) {
        state.answered += 1
        let response = worker.page.response(to: head, from: remote)
        if queuedBytes > worker.maxQueue { flushNow() }
        // Who asks for more than it reads gets this answer and no other.
        let isRead = queuedBytes <= worker.maxQueue
        let keepsAlive =
            head.keepAlive && head.body == .none && response.status < 400 && isRead && !worker.isDraining
            && mayAskAgain(state)
        var bytes: [UInt8] = []
        response.encode(
            into: &bytes, keepAlive: keepsAlive, omitBody: head.method == .head, minorVersion: head.minorVersion)
        bytes.withUnsafeBytes { write($0) }
        if !keepsAlive { finish(within: worker.timeouts.close) }
    }

    /// Whether another plain request may follow: they are bounded in number and time, and hold one of their address's places.
    private func mayAskAgain(_ state: HandshakeState) -> Bool {
        let limits = worker.handshakeLimits
        let mayGoOn =
            state.answered < limits.plainRequests
            && state.plainTimeLeft(of: limits.plainTime, now: worker.loop.now) > 0
            && worker.admitPlainRequests(of: self)
        if !mayGoOn { worker.statistics.plainLimited += 1 }
        return mayGoOn
    }

    /// Whether plain requests were answered here, and the next one has not begun.
    var awaitsAnotherRequest: Bool { handshake.map { $0.parser.isIdle && $0.answered > 0 } ?? false }

    /// Answers 503, because the server stops.
    func turnAway(retryAfter: String) {
        var response = Response.text(503, "the server restarts")
        response.fields.append((name: "Retry-After", value: retryAfter))
        refuse(response)
    }

    /// Answers and hangs up.
    /// - Parameter omitBody: the request was a HEAD: whoever forwards the answer takes a body for the next one.
    private func refuse(_ response: Response, omitBody: Bool = false) {
        worker.statistics.handshakesRefused += 1
        worker.log.debug("handshake refused", metadata: ["status": "\(response.status)", "remote": "\(remote)"])
        var bytes: [UInt8] = []
        response.encode(into: &bytes, keepAlive: false, omitBody: omitBody)
        bytes.withUnsafeBytes { write($0) }
        finish(within: worker.timeouts.close)
    }

    private func upgrade(_ head: RequestHead, _ acceptance: Handshake.Acceptance) {
        learnRemote(from: head)
        guard worker.proxies.allowsOrigin(of: head) else {
            worker.statistics.originsRefused += 1
            return refuse(
                .text(
                    403, "pages of this origin may not connect: it is not the request's host, nor in websocket.origins")
            )
        }
        guard let path = Percent.decode(head.path) else {
            return refuse(.text(400, "the path is not percent-encoded UTF-8"))
        }
        let query = QueryString(head.query ?? "")
        guard query.isUTF8 else {
            return refuse(.text(400, "the query is not percent-encoded UTF-8"))
        }
        guard let script = worker.engine.script(forPath: path) else {
            return refuse(.text(404, "no script serves this path"))
        }
        guard worker.admitAddress(of: self) else {
            var response = Response.text(429, "too many connections from this address")
            response.fields.append(("Retry-After", "5"))
            return refuse(response)
        }
        self.script = script
        self.head = head.bytes
        let subprotocol =
            worker.node.protocols.chooseSubprotocol(offered: acceptance.subprotocols)
            ?? Handshake.chooseSubprotocol(
                offered: acceptance.subprotocols, supported: worker.node.configuration.websocket.subprotocols)
        if worker.engine.defines(.upgrade, script) {
            let request = UpgradeRequest(
                path: path, ip: remote.host, query: query.pairs, headers: head.joinedFields,
                subprotocols: acceptance.subprotocols, certificate: certificateSubject)
            return decided(worker.engine.onUpgrade(script, handle, request: request), acceptance, subprotocol)
        }
        accept(acceptance, subprotocol)
    }

    /// The script has decided, or it waits.
    private func decided(_ outcome: UpgradeOutcome, _ acceptance: Handshake.Acceptance, _ subprotocol: String?) {
        switch outcome {
        case .accept(let chosen):
            accept(acceptance, chosen ?? subprotocol)
        case .refuse(let status, let body):
            refuse(.text(status, body))
        case .waiting(let task):
            handshake?.awaited = (acceptance, subprotocol)
            isBusy = true
            makePending().task = task
            setDeadline(milliseconds: nil)
            worker.beganToWait(task, on: self)
        case .failed(let error):
            worker.note(error, on: self)
            refuse(.text(500, "the handler script failed"))
        }
    }

    /// The script has waited, and has decided. Who has gone, or was turned away meanwhile, learns nothing.
    func decided(_ outcome: UpgradeOutcome) {
        isBusy = false
        extras?.value.pending = nil
        guard phase == .handshake, isWritable, let awaited = handshake?.awaited else {
            if case .failed(let error) = outcome { worker.note(error, on: self) }
            return
        }
        decided(outcome, awaited.acceptance, awaited.subprotocol)
        handleHeld()
    }

    private func accept(_ acceptance: Handshake.Acceptance, _ subprotocol: String?) {
        if let subprotocol {
            makeExtras().value.subprotocol = subprotocol
            if let conversation = worker.node.protocols.begin(subprotocol) { begin(conversation) }
        }
        switchProtocols(
            acceptance.accept, subprotocol: subprotocol, extensions: agreeOnCompression(acceptance.extensions))
    }

    private func switchProtocols(_ accept: String, subprotocol: String?, extensions: String?) {
        var response: [UInt8] = []
        Handshake.writeResponse(accept: accept, subprotocol: subprotocol, extensions: extensions, into: &response)
        response.withUnsafeBytes { write($0) }
        handshake = nil
        phase = .open
        lastWideSend = worker.walks.newest
        setDeadline(milliseconds: nil)
        worker.opened(self)
    }
}

/// An HTTP request as the handshake looks at it.
struct HandshakeRequest: Handshake.Request {
    let head: RequestHead

    var isGet: Bool { head.method == .get }
    var minorVersion: Int { head.minorVersion }
    var hasBody: Bool { head.body != .none && head.body != .length(0) }
    func all(_ name: String) -> [String] { head.all(name) }
    func hasToken(_ token: String, in name: String) -> Bool { head.hasToken(token, in: name) }
}

// The address of a client behind a proxy. The header of the PROXY protocol before the first request tells it, or a field of the
// request that opens the connection.

extension ClientConnection {
    /// The address of the client, which it counts for: the socket's other end, or the one that a trusted proxy has named.
    var remote: SocketAddress { peer }

    /// Reads on in the header of the PROXY protocol; the answer is that of `receivedPreamble`.
    func receiveProxyHeader(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let state = handshake else { return 0 }
        let before = state.proxyHeader.count
        if before > 0 { state.proxyHeader += bytes.prefix(ProxyHeader.longest - before) }
        let outcome = before > 0 ? state.proxyHeader.withUnsafeBytes(ProxyHeader.read) : ProxyHeader.read(bytes)
        switch outcome {
        case .needMore:
            // So few bytes that they are no header yet are fewer than the longest one has.
            if before == 0 { state.proxyHeader = Array(bytes) }
            return nil
        case .header(let source, let length):
            if let source { peer = source }
            state.proxyHeader = []
            return length - before
        case .failure(let failure):
            worker.count(.proxyHeader)
            worker.log.debug("no PROXY header", metadata: ["remote": "\(remote)", "cause": "\(failure)"])
            abort()
            return nil
        }
    }

    /// The proxy may say who the client of this request is.
    func learnRemote(from head: RequestHead) { peer = worker.proxies.client(of: head, behind: peer) }
}

// The request that opened the connection, for scripts and the admin API. It is parsed again from the kept bytes each time: few
// ask, and every connection would pay for keeping it parsed.

extension ClientConnection {
    var requestHead: RequestHead? { RequestHead(validated: head) }

    /// The decoded path, `/` before the handshake.
    var path: String {
        guard let head = requestHead else { return "/" }
        return Percent.decode(head.path) ?? head.path
    }

    /// The decoded pairs of the query, in order.
    var query: [(name: String, value: String)] { requestHead.map { QueryString($0.query ?? "").pairs } ?? [] }

    /// The header fields, names in lower case, repeated ones joined by `, ` (RFC 9110, section 5.3).
    var headers: [(name: String, value: [UInt8])] { requestHead?.joinedFields ?? [] }

    var user: String? { extras?.value.user }
    var subprotocol: String? { extras?.value.subprotocol }
}
