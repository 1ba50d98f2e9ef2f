// One HTTP connection to the admin API. It hands each request over once and gets its response once. While pushes wait for their
// workers it reads on; answers leave in the order of the requests, those of a turn in one write. The outstanding requests are bounded
// in number and in bytes: a connection at a bound is not read until answers have left, and nothing is refused.
//
// Runs on: the admin thread.
// Allocates: a call per request, and the bytes of a turn's answers. An idle connection keeps no buffer.
// Read next: RequestPipeline.swift, AdminCall.swift.

import EventLoop
import HTTP1
import Logging

/// The server as an admin connection sees it.
protocol AdminRequestHandler: AnyObject {
    var limits: HTTPLimits { get }
    /// Milliseconds for a whole request, and for its head.
    var requestTimeout: UInt64 { get }
    var headTimeout: UInt64 { get }
    /// Whether every connection ends behind its outstanding requests.
    var isDraining: Bool { get }
    var log: Logger { get }

    /// A request has begun; its body follows.
    func call(for head: RequestHead, on connection: AdminConnection) -> AdminCall
    /// The request is complete, and its turn has come: to be answered once, now or later.
    func perform(_ call: AdminCall)
    /// An id for the answer to a request that could not be read.
    func newRequestID() -> String
    /// A request was not complete in time.
    func requestTimedOut()
    /// A connection is gone.
    func connectionClosed()
}

/// A keep-alive HTTP connection.
final class AdminConnection: Socket {
    /// Bytes of answers that may wait for a slow reader before its next request begins.
    private static let maxOutput = 1 << 20

    private unowned(unsafe) let handler: any AdminRequestHandler
    private var parser: RequestParser
    private var pipeline = RequestPipeline()
    /// The request whose body is being read.
    private var reading: AdminCall?
    /// A complete request that waits until those before it are answered.
    private var held: AdminCall?
    /// Whether the request that is being read waits for a `100 Continue`, which has to wait for the answers before it.
    private var owesContinue = false
    /// Bytes that arrived and are not parsed yet; at most two receive buffers.
    private var backlog: ArraySlice<UInt8> = []
    /// Whether the peer has sent its last byte.
    private var hasEnded = false
    /// Whether nothing that follows is a request any more.
    private var ignoresInput = false
    /// Whether the last request was not read to its end.
    private var isRejected = false
    private var isFlushScheduled = false
    private var isOver = false
    /// When the request that is being read began, on the loop's clock.
    private var beganAt: UInt64
    /// When the last answer left; nil before the first.
    private var answeredAt: UInt64?
    /// The deadline that is set, on the loop's clock.
    private var deadline: UInt64?

    init(descriptor: Int32, peer: SocketAddress, on loop: EventLoop, handler: any AdminRequestHandler) {
        self.handler = handler
        parser = RequestParser(limits: handler.limits)
        beganAt = loop.now
        super.init(descriptor: descriptor, peer: peer, on: loop)
        updateDeadline()
    }

    // MARK: The socket

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        if ignoresInput { return setReading(false) }
        guard backlog.isEmpty, mayGoOn else {
            backlog.append(contentsOf: bytes)
            setReading(false)
            return updateDeadline()
        }
        let taken = parse(UnsafeRawBufferPointer(bytes))
        if taken < bytes.count { backlog = Array(bytes[taken...])[...] }
        updateDeadline()
    }

    /// The peer has no more requests; those that it sent are still answered.
    override func receivedEnd() {
        hasEnded = true
        finishIfDone()
    }

    override func drained() { goOn() }

    override func handshakeFailed(_ reason: String) {
        handler.log.debug("TLS handshake failed", metadata: ["reason": "\(reason)", "remote": "\(peer)"])
    }

    override func renegotiationRefused() {
        handler.log.notice("TLS renegotiation refused", metadata: ["remote": "\(peer)"])
    }

    override func didClose() {
        end()
        handler.connectionClosed()
    }

    override func deadlineReached() {
        deadline = nil
        if parser.isIdle && answeredAt != nil { return hangUp() }
        handler.requestTimedOut()
        reject(.requestTimeout)
    }

    // MARK: Requests

    /// Whether further bytes may be parsed: the rest of a request always, another request while no bound is reached.
    private var mayGoOn: Bool {
        !parser.isIdle || held == nil && !pipeline.isClosed && !pipeline.isFull && !isOutputFull
    }

    /// Whether so many bytes wait for the peer that it must read first; `drained` then tells when it has.
    private var isOutputFull: Bool {
        guard queuedBytes > Self.maxOutput else { return false }
        flushNow()
        return queuedBytes > Self.maxOutput
    }

    /// Parses requests as far as may be, and answers how many bytes it has done with.
    private func parse(_ input: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        while isWritable, !ignoresInput {
            if parser.isIdle {
                guard mayGoOn else { return offset }
                beganAt = loop.now
            }
            switch parser.next(input.bytes, from: &offset) {
            case .needMore:
                return input.count
            case .head(let head):
                begin(head)
            case .body(let range):
                if let reading, reading.refusal == nil { reading.body.append(contentsOf: input[range]) }
            case .end:
                owesContinue = false
                if let call = reading.take() { complete(call) }
            case .failure(let error):
                reject(AdminError(error))
            }
        }
        return input.count
    }

    private func begin(_ head: RequestHead) {
        let call = handler.call(for: head, on: self)
        reading = call
        guard head.expectsContinue else { return }
        // A peer that waits for leave to send its body is told at once that it has none.
        if let refusal = call.refusal { return reject(refusal) }
        if pipeline.isEmpty && held == nil { writeContinue() } else { owesContinue = true }
    }

    private func writeContinue() {
        owesContinue = false
        Array("HTTP/1.1 100 Continue\r\n\r\n".utf8).withUnsafeBytes { write($0) }
    }

    /// A request is complete: it begins now, or when those before it are answered.
    private func complete(_ call: AdminCall) {
        if !call.head.keepAlive || handler.isDraining { ignoresInput = true }
        if call.runsBesideOthers || !pipeline.hasUnanswered { start(call) } else { held = call }
    }

    private func start(_ call: AdminCall) {
        call.number = pipeline.append(
            RequestPipeline.Request(
                bytes: call.head.bytes.count + call.body.count, isHEAD: call.head.method == .head,
                minorVersion: call.head.minorVersion, isLast: !call.head.keepAlive))
        handler.perform(call)
        if !call.isAnswered && !call.runsBesideOthers { pipeline.isolate(call.number) }
    }

    /// A request that was not read to its end is answered in its turn, and nothing behind it can be understood.
    private func reject(_ error: AdminError) {
        ignoresInput = true
        isRejected = true
        owesContinue = false
        var response = error.response
        response.fields.append(("X-Request-Id", reading?.requestID ?? handler.newRequestID()))
        let number = pipeline.append(
            RequestPipeline.Request(isHEAD: reading?.head.method == .head, isLast: true))
        reading = nil
        take(response, to: number)
    }

    // MARK: Answers

    /// A request is answered; the answer leaves at the end of the turn, or when those before it have left.
    func take(_ response: Response, to number: UInt64) {
        guard !isOver else { return }
        pipeline.answer(number, response)
        guard pipeline.isReady, !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atEndOfTurn { [self] in flush() }
    }

    private func flush() {
        isFlushScheduled = false
        guard !isOver else { return }
        guard isWritable else { return abort() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        var isLast = false
        while !isLast, let (request, response) = pipeline.next() {
            isLast = request.isLast || endsBehindAnswer
            response.encode(
                into: &bytes, keepAlive: !isLast, omitBody: request.isHEAD, minorVersion: request.minorVersion)
        }
        bytes.withUnsafeBytes { write($0) }
        answeredAt = loop.now
        if isLast { hangUp(within: isRejected ? 5_000 : nil) } else { goOn() }
    }

    /// Whether the answer that has just been taken from the pipeline is the last one of the connection.
    private var endsBehindAnswer: Bool {
        guard pipeline.isEmpty, held == nil else { return false }
        return ignoresInput || handler.isDraining || hasEnded && backlog.isEmpty
    }

    /// Goes on with the requests and bytes that waited for answers to leave.
    private func goOn() {
        guard !isOver, isWritable else { return }
        if !pipeline.hasUnanswered, let call = held.take() { start(call) }
        if owesContinue, pipeline.isEmpty, held == nil {
            beganAt = loop.now
            writeContinue()
        }
        if !backlog.isEmpty, mayGoOn || ignoresInput {
            let input = backlog
            let rest = input.dropFirst(input.withUnsafeBytes { parse($0) })
            // An empty slice would keep the bytes that it was cut from.
            backlog = rest.isEmpty ? [] : rest
        }
        if backlog.isEmpty, !ignoresInput { setReading(true) }
        finishIfDone()
        updateDeadline()
    }

    // MARK: The end

    /// Hangs up on a peer that has sent its last byte once everything is answered.
    private func finishIfDone() {
        if hasEnded, pipeline.isEmpty, held == nil, backlog.isEmpty { hangUp() }
    }

    /// Hangs up behind answers that may be large, and their reader slow: `timeouts.write` judges a reader that takes nothing.
    private func hangUp(within milliseconds: UInt64? = nil) {
        end()
        finish(within: milliseconds)
    }

    /// Answers that come from here on are dropped.
    private func end() {
        isOver = true
        ignoresInput = true
        reading = nil
        held = nil
        backlog = []
    }

    // MARK: Time

    /// A request has its time from its first byte; a connection that is kept has as long for the next one. A connection that
    /// waits for our answers has no deadline.
    private func updateDeadline() {
        guard !isOver else { return }
        var wanted: UInt64?
        if !parser.isIdle && !ignoresInput {
            if !owesContinue { wanted = beganAt + (reading == nil ? handler.headTimeout : handler.requestTimeout) }
        } else if pipeline.isEmpty, held == nil, backlog.isEmpty, !ignoresInput {
            wanted = answeredAt.map { $0 + handler.requestTimeout } ?? beganAt + handler.headTimeout
        }
        guard wanted != deadline else { return }
        deadline = wanted
        setDeadline(milliseconds: wanted.map { $0 - min($0, loop.now) })
    }
}
