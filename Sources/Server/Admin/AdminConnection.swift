// One HTTP connection to the admin API: requests in, one at a time, answers out in order. Who sends on while an answer is being
// gathered from the workers is not read from any further, so a pipeline costs its sender time and us one receive buffer.
//
// Runs on: the admin thread.

import EventLoop
import HTTP1
import Logging

/// A keep-alive HTTP connection.
final class AdminConnection: Socket {
    private unowned(unsafe) let server: AdminServer
    private var parser: RequestParser
    /// The request whose body is being read or whose answer is awaited.
    private var call: AdminCall?
    private var isComplete = false
    private var refusal: AdminError?
    private var handler: AdminRoute.Handler?
    /// What arrived behind a request that is not answered yet; at most one receive buffer.
    private var backlog: ArraySlice<UInt8> = []
    private var hasEnded = false
    /// When the present request began, on the loop's clock.
    private var beganAt: UInt64
    private var answered = 0

    init(descriptor: Int32, peer: SocketAddress, server: AdminServer) {
        self.server = server
        parser = RequestParser(limits: server.limits)
        beganAt = server.loop.now
        super.init(descriptor: descriptor, peer: peer, on: server.loop)
        server.accepted += 1
        server.connections += 1
        setDeadline(milliseconds: server.headTimeout)
        if let context = server.node.certificates.admin { startTLS(context) }
    }

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        guard isComplete || !backlog.isEmpty else {
            if parser.isIdle { requestBegins() }
            let taken = parse(UnsafeRawBufferPointer(bytes))
            backlog = Array(bytes[taken...])[...]
            if isComplete { perform() }
            return
        }
        backlog.append(contentsOf: bytes)
        setReading(false)
    }

    /// The peer has nothing more to ask; what it asked is still answered.
    override func receivedEnd() {
        hasEnded = true
        if !isComplete { finishWhenRead() }
    }

    override func handshakeFailed(_ reason: String) {
        server.log.debug("TLS handshake failed", metadata: ["reason": "\(reason)", "remote": "\(peer)"])
    }

    override func renegotiationRefused() {
        server.log.notice("TLS renegotiation refused", metadata: ["remote": "\(peer)"])
    }

    override func didClose() {
        call = nil
        server.connections -= 1
    }

    override func deadlineReached() {
        guard !isComplete else { return }
        if parser.isIdle && call == nil && answered > 0 { return finishWhenRead() }
        server.requestsTimedOut += 1
        reject(.requestTimeout)
    }

    /// Reads on to the end of a request, and answers how many bytes it has done with.
    private func parse(_ input: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        while !isComplete, isWritable {
            switch parser.next(input.bytes, from: &offset) {
            case .needMore:
                return input.count
            case .head(let head):
                begin(head)
            case .body(let range):
                if refusal == nil { call?.body.append(contentsOf: input[range]) }
            case .end:
                isComplete = true
                setDeadline(milliseconds: nil)
                return offset
            case .failure(let error):
                reject(AdminError(error))
            }
        }
        return input.count
    }

    /// The time is for one request, from its first byte.
    private func requestBegins() {
        beganAt = loop.now
        setDeadline(milliseconds: server.headTimeout)
    }

    private func begin(_ head: RequestHead) {
        setDeadline(milliseconds: server.requestTimeout - min(server.requestTimeout, loop.now - beganAt))
        let route = server.route(head, peer: peer)
        let requestID = server.requestID(for: head)
        call = AdminCall(head: head, parameters: route.parameters, requestID: requestID, connection: self)
        handler = route.handler
        refusal = route.error
        guard head.expectsContinue else { return }
        // Who waits for leave to send its body is told at once that it has not.
        if let refusal { return reject(refusal) }
        Array("HTTP/1.1 100 Continue\r\n\r\n".utf8).withUnsafeBytes { write($0) }
    }

    private func perform() {
        guard let call else { return }
        if let refusal { return call.fail(refusal) }
        guard !call.hasQuery || call.query.isUTF8 else {
            return call.fail(AdminError.parameterInvalid.saying("the query is not percent-encoded UTF-8"))
        }
        do throws(AdminError) {
            try handler?(server, call)
        } catch {
            call.fail(error)
        }
    }

    /// A request that was not read to its end: answered, and then nothing more can be understood.
    private func reject(_ error: AdminError) {
        var response = error.response
        response.fields.append(("X-Request-Id", call?.requestID ?? server.requestID(for: nil)))
        var bytes: [UInt8] = []
        response.encode(into: &bytes, keepAlive: false, omitBody: call?.head.method == .head)
        bytes.withUnsafeBytes { write($0) }
        self.call = nil
        finish()
    }

    func answer(_ call: AdminCall, with response: Response) {
        guard call === self.call else { return }
        guard isWritable else { return abort() }
        let goesOn = !hasEnded || !backlog.isEmpty
        let keepsAlive = call.head.keepAlive && goesOn && !server.isDraining
        var bytes: [UInt8] = []
        response.encode(
            into: &bytes, keepAlive: keepsAlive, omitBody: call.head.method == .head,
            minorVersion: call.head.minorVersion)
        bytes.withUnsafeBytes { write($0) }
        self.call = nil
        handler = nil
        refusal = nil
        isComplete = false
        answered += 1
        guard keepsAlive else { return finishWhenRead() }
        setDeadline(milliseconds: server.requestTimeout)
        resume()
    }

    /// Goes on with what arrived meanwhile. At the end of the turn, so that a long pipeline does not become a deep recursion.
    private func resume() {
        guard !backlog.isEmpty else { return }
        loop.atEndOfTurn { [self] in
            let input = backlog
            requestBegins()
            backlog = input.dropFirst(input.withUnsafeBytes { parse($0) })
            if backlog.isEmpty { setReading(true) }
            if isComplete { perform() } else if hasEnded { finishWhenRead() }
        }
    }

    /// Hangs up behind an answer that may be large, and its reader slow: `timeouts.write` says when it takes nothing.
    private func finishWhenRead() { finish(within: nil) }
}
