// An admin connection that a test drives by hand: its loop, its clock, its client and the answers to its requests, all on the test's
// thread, so that a run is the same each time. The server behind it is a double; the connection and its socket are real.

import EventLoop
import Glibc
import HTTP1
import Logging
import PerigeeTestKit
import Testing

@testable import Admin

/// A server that answers when the test says so.
///
/// The path of a request says what it is: `/push` runs beside other pushes, `/lone` is a push that lets no later request begin,
/// `/now` is answered at once, `/stream` is echoed piece by piece, and everything else runs alone.
final class HandAdmin: AdminRequestHandler {
    /// Milliseconds that the test turns.
    final class Clock {
        var now: UInt64 = 1_000_000
    }

    let clock = Clock()
    let loop: EventLoop
    let limits: HTTPLimits
    let requestTimeout: UInt64 = 10_000
    let headTimeout: UInt64 = 5_000
    var isDraining = false
    let log = Logger(label: "hand") { _ in SwiftLogNoOpLogHandler() }
    /// The requests that have begun, in order.
    private(set) var begun: [AdminCall] = []
    private(set) var timedOut = 0
    private(set) var closed = 0
    private(set) var readers: [HandReader] = []
    /// The first rule that was broken.
    private(set) var failure: String?
    private(set) weak var connection: AdminConnection?

    init(maxBody: Int = 1 << 20) {
        let clock = clock
        loop = EventLoop(clock: { clock.now })
        var limits = HTTPLimits()
        limits.maxBody = maxBody
        self.limits = limits
    }

    /// Connects a client.
    func connect() -> HandPeer {
        let pair = SocketPair()
        // The loop keeps it while its socket lives.
        let connection = AdminConnection(
            descriptor: pair.near, peer: SocketAddress(ipv4: 0x7F00_0001, port: 1), on: loop, handler: self)
        self.connection = connection
        return HandPeer(descriptor: pair.far)
    }

    /// Turns of the loop, a millisecond after each other.
    func turn(_ count: Int = 1) {
        for _ in 0..<count {
            clock.now += 1
            loop.turn(waitingAtMost: 0)
        }
    }

    /// The requests that have begun and wait for their answers.
    var open: [AdminCall] { begun.filter { !$0.isAnswered } }

    /// The requests whose answers are the test's to give.
    var waiting: [AdminCall] { open.filter { !$0.streams } }

    /// The readers that take no bytes for now.
    var full: [HandReader] { readers.filter(\.isFull) }

    /// Answers a request with its own body.
    func answer(_ call: AdminCall) { call.answer(Response(status: 200, fields: [], body: call.body)) }

    // MARK: What the connection asks

    func call(for head: RequestHead, on connection: AdminConnection) -> AdminCall {
        AdminCall(
            head: head, requestID: head.first("x-request-id") ?? "none", handler: nil,
            refusal: head.path == "/refused" ? .keyMissing : nil,
            isPush: head.path == "/push" || head.path == "/lone", streams: head.path == "/stream",
            connection: connection)
    }

    func perform(_ call: AdminCall) {
        let open = open
        if !call.runsBesideOthers && !open.isEmpty { failure = "\(call.requestID) begins before others are answered" }
        if let lone = open.first(where: { !$0.runsBesideOthers }) {
            failure = "\(call.requestID) begins beside \(lone.requestID)"
        }
        begun.append(call)
        if open.count >= RequestPipeline.maxRequests { failure = "\(open.count + 1) requests are outstanding" }
        if call.head.path == "/lone" { call.runsBesideOthers = false }
        if call.head.path == "/now" { answer(call) }
        if let refusal = call.refusal { call.fail(refusal) }
        if call.streams { readers.append(HandReader(call)) }
    }

    func newRequestID() -> String { "none" }
    func requestTimedOut() { timedOut += 1 }
    func connectionClosed() { closed += 1 }
}

/// Echoes a body as it comes, and takes no more bytes behind every third piece until the test lets it.
final class HandReader: BodyReader {
    private let call: AdminCall
    private var pieces = 0
    private(set) var isFull = false
    /// The calls of `ended` and `gone`: one of them comes once, and nothing behind it.
    private(set) var ends = 0
    private(set) var failure: AdminError?
    /// Whether bytes came while it was full, or behind the end.
    private(set) var isPressed = false

    init(_ call: AdminCall) {
        self.call = call
        call.reader = self
        call.begin(Response(status: 200))
        if !call.streamsIn { ended(nil) }
    }

    func received(_ bytes: UnsafeRawBufferPointer) {
        if isFull || ends > 0 { isPressed = true }
        call.body += bytes
        call.write(Array(bytes))
        pieces += 1
        isFull = pieces % 3 == 0
    }

    func ended(_ failure: AdminError?) {
        ends += 1
        isFull = false
        self.failure = failure
        call.end()
    }

    func gone() {
        ends += 1
        isFull = false
    }

    /// Takes bytes again.
    func goOn() {
        isFull = false
        call.goOn()
    }
}

/// The other end of a connection of a ``HandAdmin``.
final class HandPeer {
    /// An answer as it came.
    struct Answer {
        let status: Int
        let id: String
        let body: [UInt8]
        let isLast: Bool
    }

    private var descriptor: Int32
    private var received: [UInt8] = []
    /// Whether the server has announced its end.
    private(set) var hasEnded = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Sends as much as the socket takes; answers how much that is.
    @discardableResult
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        max(0, bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) })
    }

    func send(_ text: String) { #expect(send(Array(text.utf8)[...]) == text.utf8.count) }

    func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if descriptor >= 0 { hangUp(descriptor) }
        descriptor = -1
    }

    /// Takes what has come.
    func read() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            while descriptor >= 0 {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count == 0 { hasEnded = true }
                guard count > 0 else { return }
                received += buffer.prefix(count)
            }
        }
    }

    /// The next whole answer among the received bytes.
    /// - Parameter omitsBody: whether the request with this id was HEAD.
    func next(omitsBody: (String) -> Bool = { _ in false }) -> Answer? {
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        func field(_ name: String) -> String? {
            lines.first { $0.lowercased().hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
        }
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        let id = field("x-request-id") ?? ""
        let body: [UInt8]
        let behind: Int
        if field("transfer-encoding") == "chunked" {
            guard let chunks = chunks(from: end.upperBound) else { return nil }
            (body, behind) = chunks
        } else {
            let length = status == 100 || omitsBody(id) ? 0 : Int(field("content-length") ?? "0") ?? 0
            behind = end.upperBound + length
            guard received.count >= behind else { return nil }
            body = Array(received[end.upperBound..<behind])
        }
        received.removeSubrange(..<behind)
        return Answer(status: status, id: id, body: body, isLast: field("connection") == "close")
    }

    /// The body in chunks that begins at an offset, and the offset behind it; nil while its end is not there.
    private func chunks(from start: Int) -> (body: [UInt8], behind: Int)? {
        var body: [UInt8] = []
        var offset = start
        while let line = received[offset...].firstRange(of: Array("\r\n".utf8)) {
            guard let size = Int(String(decoding: received[offset..<line.lowerBound], as: UTF8.self), radix: 16),
                received.count >= line.upperBound + size + 2
            else { return nil }
            body += received[line.upperBound..<line.upperBound + size]
            offset = line.upperBound + size + 2
            if size == 0 { return (body, offset) }
        }
        return nil
    }

    /// Bytes that have come and are not taken.
    var rest: Int { received.count }
}
