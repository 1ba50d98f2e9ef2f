// The handshake of a connection, from the first byte to the 101: requests are parsed in the receive buffer, the handshake is
// checked, the script is asked, and a request for no WebSocket gets its plain answer.
//
// Runs on: the worker's thread. Allocates: once for each connection.
// Read next: WebSocket/Handshake.swift, ../../Clients/OpeningRequest.swift, ../../Page/PlainPages.swift.

import ClientProtocols
import EventLoop
import HTTP1
import Logging
import Proxies
import Scripting
import Settings
import WebSocket

/// The HTTP part of a connection's life.
final class ClientHandshake {
    // The connection owns its handshake.
    private unowned(unsafe) let connection: ClientConnection
    private var parser: RequestParser
    /// When the connection came, on the loop's clock.
    private let began: UInt64
    /// Requests answered on this connection that were not for a WebSocket.
    private var answered = 0
    /// The answer to send when the script, which waits, has decided.
    private var awaited: (acceptance: Handshake.Acceptance, subprotocol: String?)?
    /// The bytes of a half-read header of the PROXY protocol; fewer than `ProxyHeader.longest`.
    private var proxyHeader: [UInt8] = []

    init(of connection: ClientConnection) {
        self.connection = connection
        parser = RequestParser(limits: connection.worker.rules.handshake.head)
        began = connection.loop.now
    }

    private var worker: Worker { connection.worker }
    private var rules: ClientRules { connection.worker.rules }

    // MARK: Requests

    /// Handles the requests in `bytes`, and frames behind the one that opens the connection.
    func receive(_ bytes: UnsafeMutableRawBufferPointer) {
        if !connection.isBusy, connection.waitsWithInput(of: bytes.count) { return connection.holdBack(bytes) }
        let input = UnsafeRawBufferPointer(bytes).bytes
        var offset = 0
        while connection.phase == .handshake, connection.isWritable, !connection.isBusy {
            switch parser.next(input, from: &offset) {
            case .needMore:
                return
            case .head(let head):
                answer(head)
            case .body:
                break
            case .end:
                if connection.phase == .handshake { awaitNextRequest() }
            case .failure(let error):
                refuse(.text(error.status, error.reason))
            }
        }
        if let script = connection.script { worker.turns.note(.handler(.upgrade, script)) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
        if connection.isBusy && connection.phase == .handshake {
            connection.holdBack(rest)
        } else if connection.phase == .open || connection.phase == .closing, !rest.isEmpty {
            connection.receiveFrames(rest)
        }
    }

    /// The time for the request is over.
    func isLate() {
        if connection.awaitsPreamble {
            // A proxy that says nothing may have a client that does not even speak HTTP.
            worker.count(.handshakeTimeout)
            return connection.abort()
        }
        if awaitsAnotherRequest { return connection.finish() }
        worker.count(.handshakeTimeout)
        refuse(.text(408, "the request was not complete in time"))
    }

    /// Limits the time for the next request; all plain ones together have a limit, too.
    private func awaitNextRequest() {
        connection.setDeadline(milliseconds: min(rules.handshakeTimeout, plainTimeLeft))
    }

    private func answer(_ head: RequestHead) {
        switch Handshake.evaluate(HandshakeRequest(head: head), offers: rules.handshake.offers) {
        case .notAnUpgrade:
            answerPlainly(head)
        case .refuse(let status, let reason, let fields):
            var response = Response.text(status, reason)
            response.fields += fields.map { (name: $0.0, value: $0.1) }
            refuse(response, omitBody: head.method == .head)
        case .accept(let acceptance):
            upgrade(head, acceptance)
        }
    }

    private func answerPlainly(_ head: RequestHead) {
        answered += 1
        let response = worker.page.response(to: head, from: connection.remote)
        if connection.queuedBytes > rules.maxQueue { connection.flushNow() }
        // A client that asks for more than it reads gets this answer and no other.
        let isRead = connection.queuedBytes <= rules.maxQueue
        let keepsAlive =
            head.keepAlive && head.body == .none && response.status < 400 && isRead && !worker.shutdown.isDraining
            && mayAskAgain
        var bytes: [UInt8] = []
        response.encode(
            into: &bytes, keepAlive: keepsAlive, omitBody: head.method == .head, minorVersion: head.minorVersion)
        bytes.withUnsafeBytes { connection.write($0) }
        if !keepsAlive { connection.finish(within: rules.closeTimeout) }
    }

    /// Whether another plain request may follow: they are bounded in number and time, and hold one of their address's places.
    private var mayAskAgain: Bool {
        let mayGoOn =
            answered < rules.handshake.plainRequests && plainTimeLeft > 0
            && worker.admission.admitPlainRequests(of: connection)
        if !mayGoOn { worker.statistics.plainLimited += 1 }
        return mayGoOn
    }

    /// Whether plain requests were answered here, and the next one has not begun.
    var awaitsAnotherRequest: Bool { parser.isIdle && answered > 0 }

    /// Answers 503, because the server stops.
    func turnAway(retryAfter: String) {
        var response = Response.text(503, "the server restarts")
        response.fields.append((name: "Retry-After", value: retryAfter))
        refuse(response)
    }

    /// Answers and hangs up.
    /// - Parameter omitBody: the request was a HEAD: a proxy that forwards the answer would take a body for the next one.
    private func refuse(_ response: Response, omitBody: Bool = false) {
        worker.statistics.handshakesRefused += 1
        worker.log.debug(
            "handshake refused", metadata: ["status": "\(response.status)", "remote": "\(connection.remote)"])
        var bytes: [UInt8] = []
        response.encode(into: &bytes, keepAlive: false, omitBody: omitBody)
        bytes.withUnsafeBytes { connection.write($0) }
        connection.finish(within: rules.closeTimeout)
    }

    private func upgrade(_ head: RequestHead, _ acceptance: Handshake.Acceptance) {
        connection.peer = rules.proxies.client(of: head, behind: connection.peer)
        guard rules.proxies.allowsOrigin(of: head) else {
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
        guard worker.admission.admitAddress(of: connection) else {
            var response = Response.text(429, "too many connections from this address")
            response.fields.append(("Retry-After", "5"))
            return refuse(response)
        }
        connection.script = script
        connection.request = OpeningRequest(head)
        let subprotocol =
            worker.node.protocols.chooseSubprotocol(offered: acceptance.subprotocols)
            ?? Handshake.chooseSubprotocol(
                offered: acceptance.subprotocols, supported: worker.node.configuration.websocket.subprotocols)
        if worker.engine.defines(.upgrade, script) {
            let request = UpgradeRequest(
                path: path, ip: connection.remote.host, query: query.pairs, headers: head.joinedFields,
                subprotocols: acceptance.subprotocols, certificate: connection.certificateSubject)
            let outcome = worker.engine.onUpgrade(script, connection.handle, request: request)
            return decided(outcome, acceptance, subprotocol)
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
            awaited = (acceptance, subprotocol)
            connection.isBusy = true
            connection.makePending().task = task
            connection.setDeadline(milliseconds: nil)
            worker.waiting.add(task, on: connection, isLimited: true)
        case .failed(let error):
            worker.reports.note(error, on: connection)
            refuse(.text(500, "the handler script failed"))
        }
    }

    /// The script has waited, and has decided. A client that has gone or was refused meanwhile learns nothing.
    func goOn(_ outcome: UpgradeOutcome) {
        connection.isBusy = false
        connection.extras?.value.pending = nil
        guard connection.phase == .handshake, connection.isWritable, let awaited else {
            if case .failed(let error) = outcome { worker.reports.note(error, on: connection) }
            return
        }
        decided(outcome, awaited.acceptance, awaited.subprotocol)
        connection.handleHeld()
    }

    private func accept(_ acceptance: Handshake.Acceptance, _ subprotocol: String?) {
        if let subprotocol {
            connection.makeExtras().value.subprotocol = subprotocol
            if let conversation = worker.node.protocols.begin(subprotocol) { connection.begin(conversation) }
        }
        switchProtocols(
            acceptance.accept, subprotocol: subprotocol, extensions: agreeOnCompression(acceptance.extensions))
    }

    private func switchProtocols(_ accept: String, subprotocol: String?, extensions: String?) {
        var response: [UInt8] = []
        Handshake.writeResponse(accept: accept, subprotocol: subprotocol, extensions: extensions, into: &response)
        response.withUnsafeBytes { connection.write($0) }
        connection.handshake = nil
        connection.phase = .open
        connection.lastWideSend = worker.walks.newest
        connection.setDeadline(milliseconds: nil)
        worker.opened(connection)
    }

    /// Accepts the first of the client's offers that can be served; answers the value of Sec-WebSocket-Extensions.
    private func agreeOnCompression(_ offers: [ExtensionOffer]) -> String? {
        guard let compression = worker.compression,
            let agreement = DeflateAgreement.negotiate(offers, compression.policy)
        else { return nil }
        connection.deflate = agreement.parameters
        connection.decoder = MessageDecoder(compression: true)
        return agreement.response
    }

    /// How long the connection may still be used for plain requests, in milliseconds.
    private var plainTimeLeft: UInt64 {
        let time = rules.handshake.plainTime
        return time - min(time, worker.loop.now - began)
    }

    // MARK: Proxies

    /// Reads on in the header of the PROXY protocol; the answer is that of `receivedPreamble`.
    func receiveProxyHeader(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let before = proxyHeader.count
        if before > 0 { proxyHeader += bytes.prefix(ProxyHeader.longest - before) }
        let outcome = before > 0 ? proxyHeader.withUnsafeBytes(ProxyHeader.read) : ProxyHeader.read(bytes)
        switch outcome {
        case .needMore:
            // So few bytes that they are no header yet are fewer than the longest one has.
            if before == 0 { proxyHeader = Array(bytes) }
            return nil
        case .header(let source, let length):
            if let source { connection.peer = source }
            proxyHeader = []
            return length - before
        case .failure(let failure):
            worker.count(.proxyHeader)
            worker.log.debug("no PROXY header", metadata: ["remote": "\(connection.remote)", "cause": "\(failure)"])
            connection.abort()
            return nil
        }
    }
}
