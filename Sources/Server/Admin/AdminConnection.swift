// One HTTP connection to the admin API: requests in, one at a time, answers out in order. While an answer is being gathered
// from the workers nothing more is read, so a pipeline costs its sender time and us nothing.
//
// Runs on: the admin thread.

import EventLoop
import HTTP1

/// A keep-alive HTTP connection.
final class AdminConnection: Socket {
    private unowned(unsafe) let server: AdminServer
    private var parser: RequestParser
    /// The request whose body is being read or whose answer is awaited.
    private var call: AdminCall?
    private var isComplete = false
    private var refusal: AdminError?
    /// What arrived behind a request that is not answered yet; at most one receive buffer.
    private var backlog: [UInt8] = []
    private var hasEnded = false
    private var answered = 0

    init(descriptor: Int32, peer: SocketAddress, server: AdminServer) {
        self.server = server
        parser = RequestParser(limits: server.limits)
        super.init(descriptor: descriptor, peer: peer, on: server.loop)
        setDeadline(milliseconds: server.requestTimeout)
    }

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        parse(UnsafeRawBufferPointer(bytes))
    }

    /// The peer has nothing more to ask; what it asked is still answered.
    override func receivedEnd() {
        hasEnded = true
        if !isComplete { finish() }
    }

    override func deadlineReached() {
        guard !isComplete else { return }
        if parser.isIdle && call == nil && answered > 0 { return finish() }
        reject(408, "request_timeout", "the request was not complete in time")
    }

    private func parse(_ input: UnsafeRawBufferPointer) {
        var offset = 0
        while !isComplete, isWritable {
            switch parser.next(input.bytes, from: &offset) {
            case .needMore:
                return
            case .head(let head):
                begin(head)
            case .body(let range):
                if refusal == nil { call?.body.append(contentsOf: input[range]) }
            case .end:
                isComplete = true
                setDeadline(milliseconds: nil)
                if offset < input.count { backlog = Array(input[offset...]) }
                setReading(false)
                perform()
            case .failure(let error):
                reject(error.status, "bad_request", error.reason)
            }
        }
    }

    private func begin(_ head: RequestHead) {
        let route = server.route(head, peer: peer)
        let requestID = server.requestID(for: head)
        call = AdminCall(head: head, parameters: route.parameters, requestID: requestID, connection: self)
        handler = route.handler
        refusal = route.error
        guard head.expectsContinue, refusal == nil else { return }
        var bytes = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        bytes.withUnsafeBytes { write($0) }
        bytes.removeAll()
    }

    private var handler: AdminRoute.Handler?

    private func perform() {
        guard let call else { return }
        if let refusal { return call.fail(refusal) }
        do throws(AdminError) {
            try handler?(server, call)
        } catch {
            call.fail(error)
        }
    }

    /// A request that could not be read: answered, and then nothing more can be understood.
    private func reject(_ status: Int, _ code: String, _ message: String) {
        let error = AdminError(status: status, code: code, message: message)
        var response = Response(status: status, fields: [("Content-Type", "application/json")], body: error.json.bytes)
        response.fields.append(("X-Request-Id", server.requestID(for: nil)))
        var bytes: [UInt8] = []
        response.encode(into: &bytes, keepAlive: false)
        bytes.withUnsafeBytes { write($0) }
        call = nil
        finish()
    }

    func answer(_ call: AdminCall, with response: Response) {
        guard call === self.call, isWritable else { return }
        let keepsAlive = call.head.keepAlive && !hasEnded && !server.isStopping
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
        guard keepsAlive else { return finish() }
        setDeadline(milliseconds: server.requestTimeout)
        setReading(true)
        resume()
    }

    /// Goes on with what arrived meanwhile. At the end of the turn, so that a long pipeline does not become a deep recursion.
    private func resume() {
        guard !backlog.isEmpty else { return }
        loop.atEndOfTurn { [self] in
            let input = backlog
            backlog = []
            input.withUnsafeBytes { parse($0) }
        }
    }
}
