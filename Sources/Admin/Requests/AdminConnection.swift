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
    static let maxOutput = 1 << 20

    private unowned(unsafe) let handler: any AdminRequestHandler
    private var parser: RequestParser
    var pipeline = RequestPipeline()
    /// The request whose body is being read.
    private var reading: AdminCall?
    /// A complete request that waits until those before it are answered.
    private var held: AdminCall?
    /// The request that streams, from its beginning until it is answered.
    var streaming: AdminCall?
    /// When bytes of a body that streams came last, on the loop's clock.
    var heardAt: UInt64 = 0
    /// Whether the request that is being read waits for a `100 Continue`, which has to wait for the answers before it.
    private var owesContinue = false
    /// Bytes that arrived and are not parsed yet; at most two receive buffers.
    private var backlog: ArraySlice<UInt8> = []
    /// Whether the peer has sent its last byte.
    private var hasEnded = false
    /// Whether nothing that follows is a request any more.
    var ignoresInput = false
    /// Whether the last request was not read to its end.
    private var isRejected = false
    private var isFlushScheduled = false
    private(set) var isOver = false
    /// When the request that is being read began, on the loop's clock.
    private var beganAt: UInt64
    /// When the last answer left; nil before the first.
    private var answeredAt: UInt64?
    /// The deadline that is set, on the loop's clock.
    private var deadline: UInt64?

    init(descriptor: Int32, peer: SocketAddress, on loop: EventLoop, handler: any AdminRequestHandler) {
        self.handler = handler
        var limits = handler.limits
        // A body has its limit when its head is known.
        limits.maxBody = .max
        parser = RequestParser(limits: limits)
        beganAt = loop.now
        super.init(descriptor: descriptor, peer: peer, on: loop)
        updateDeadline()
    }

    // MARK: The socket

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        if ignoresInput { return setReading(false) }
        heardAt = loop.now
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
        if backlog.isEmpty { endBodyTooEarly() }
        finishIfDone()
    }

    override func drained() {
        heardAt = loop.now
        streaming?.reader?.drained()
        goOn()
    }

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
        if isReadingStream { return endBody(.requestTimeout) }
        reject(.requestTimeout)
    }

    // MARK: Requests

    /// Whether further bytes may be parsed: the rest of a request always, unless it streams and takes none; another request while no
    /// bound is reached.
    private var mayGoOn: Bool {
        if let reading, reading.streamsIn { return reading.reader.map { !$0.isFull } ?? false }
        return !parser.isIdle || held == nil && !pipeline.isClosed && !pipeline.isFull && !isOutputFull
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
            guard mayGoOn else { return offset }
            if parser.isIdle { beganAt = loop.now }
            switch parser.next(input.bytes, from: &offset) {
            case .needMore:
                return input.count
            case .head(let head):
                begin(head)
            case .body(let range):
                if let reading, reading.refusal == nil {
                    take(UnsafeRawBufferPointer(rebasing: input[range]), of: reading)
                }
            case .end:
                owesContinue = false
                if let call = reading.take() { complete(call) }
            case .failure(let error):
                if isReadingStream { endBody(AdminError(error)) } else { reject(AdminError(error)) }
            }
        }
        return input.count
    }

    private func begin(_ head: RequestHead) {
        let call = handler.call(for: head, on: self)
        reading = call
        let streams = call.streamsIn
        guard parser.limitBody(to: streams ? .max : handler.limits.maxBody) else { return reject(.bodyTooLarge) }
        // A peer that waits for leave to send its body is told at once that it has none.
        if head.expectsContinue, let refusal = call.refusal { return reject(refusal) }
        if pipeline.isEmpty && held == nil {
            if head.expectsContinue { writeContinue() }
            if streams { start(call) }
        } else {
            owesContinue = head.expectsContinue
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, of call: AdminCall) {
        if call.streamsIn { call.reader?.received(bytes) } else { call.body.append(contentsOf: bytes) }
    }

    // MARK: Requests that stream

    /// Whether the body of a request that has begun is being handed over as it comes.
    private var isReadingStream: Bool { reading != nil && reading === streaming }

    /// No more of a body that streams is read: its reader ends the answer, which is the connection's last one.
    func endBody(_ failure: AdminError) {
        guard isReadingStream, let call = reading.take() else { return }
        ignoresInput = true
        isRejected = true
        call.reader?.ended(failure)
    }

    /// The peer has sent its last byte, and all of them were handed over, but for the end of a body whose reader takes none now.
    private func endBodyTooEarly() {
        if mayGoOn { endBody(AdminError.badRequest.saying("the body ends too early")) }
    }

    /// The answer to a request that streams is there, or its last piece is. Bytes behind a body that is not read to its end cannot be
    /// understood.
    func streamIsAnswered() {
        if isReadingStream {
            reading = nil
            ignoresInput = true
            isRejected = true
        }
        streaming = nil
    }

    private func writeContinue() {
        owesContinue = false
        Array("HTTP/1.1 100 Continue\r\n\r\n".utf8).withUnsafeBytes { write($0) }
    }

    /// A request is complete: it begins now, or when those before it are answered.
    private func complete(_ call: AdminCall) {
        if !call.head.keepAlive || handler.isDraining { ignoresInput = true }
        if call === streaming { return call.reader?.ended(nil) ?? () }
        if call.runsBesideOthers || mayBegin(call) { start(call) } else { held = call }
    }

    /// Whether the requests before it let a request begin that runs alone. One that streams also lets their answers leave.
    private func mayBegin(_ call: AdminCall) -> Bool { call.streams ? pipeline.isEmpty : !pipeline.hasUnanswered }

    private func start(_ call: AdminCall) {
        if call.streams {
            streaming = call
            heardAt = loop.now
        }
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
        if streaming?.number == number { streamIsAnswered() }
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
        answerHasLeft(isLast: isLast)
    }

    func answerHasLeft(isLast: Bool) {
        answeredAt = loop.now
        if isLast { hangUp(within: isRejected ? 5_000 : nil) } else { goOn() }
    }

    /// Whether the answer that has just been taken from the pipeline is the last one of the connection.
    var endsBehindAnswer: Bool {
        guard pipeline.isEmpty, held == nil else { return false }
        return ignoresInput || handler.isDraining || hasEnded && backlog.isEmpty
    }

    /// Goes on with the requests and bytes that waited for answers to leave.
    func goOn() {
        guard !isOver, isWritable else { return }
        if let call = held, mayBegin(call) {
            held = nil
            start(call)
        }
        if pipeline.isEmpty, held == nil {
            if owesContinue {
                beganAt = loop.now
                writeContinue()
            }
            if let reading, reading.streamsIn { start(reading) }
        }
        // The end of a body may be there without a byte behind it.
        if !backlog.isEmpty || isReadingStream, mayGoOn || ignoresInput {
            let input = backlog
            let rest = input.dropFirst(input.withUnsafeBytes { parse($0) })
            // An empty slice would keep the bytes that it was cut from.
            backlog = rest.isEmpty ? [] : rest
        }
        if backlog.isEmpty, !ignoresInput {
            if hasEnded { endBodyTooEarly() }
            setReading(true)
        }
        finishIfDone()
        updateDeadline()
    }

    // MARK: The end

    /// Hangs up on a peer that has sent its last byte once everything is answered.
    func finishIfDone() {
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
        if let call = streaming.take(), let reader = call.reader {
            call.reader = nil
            reader.gone()
        }
        reading = nil
        held = nil
        backlog = []
    }

    // MARK: Time

    /// A request has its time from its first byte; a connection that is kept has as long for the next one. A connection that
    /// waits for our answers has no deadline.
    func updateDeadline() {
        guard !isOver else { return }
        var wanted: UInt64?
        if let reading, reading.streamsIn {
            // A sender that is made to wait is not late, and a body may last: only its silences are measured.
            if isReadingStream, backlog.isEmpty, mayGoOn { wanted = heardAt + handler.requestTimeout }
        } else if !parser.isIdle && !ignoresInput {
            if !owesContinue { wanted = beganAt + (reading == nil ? handler.headTimeout : handler.requestTimeout) }
        } else if pipeline.isEmpty, held == nil, backlog.isEmpty, !ignoresInput {
            wanted = answeredAt.map { $0 + handler.requestTimeout } ?? beganAt + handler.headTimeout
        }
        guard wanted != deadline else { return }
        deadline = wanted
        setDeadline(milliseconds: wanted.map { $0 - min($0, loop.now) })
    }
}
