// A worker that a test drives by hand: its clock, its turns and its clients, all on the test's thread, so that a run is the same
// each time. Nothing of it is a double: only the clock and the other threads' inboxes are the test's.

import ClientProtocols
import EventLoop
import Glibc
import Logging
import PerigeeTestKit
import Scripting
import Settings
import Synchronization
import Testing

@testable import Gateway

/// A worker without a thread.
final class HandWorker {
    /// Milliseconds that the test turns.
    final class Clock {
        var now: UInt64 = 1_000_000
    }

    let clock = Clock()
    let node: Node
    let worker: Worker
    private let log = ScriptLines()
    /// The number of the last reload.
    private var round: UInt64 = 0
    /// The questions that are not answered yet.
    private var replies: [UInt64: Answers<ScriptAnswer>] = [:]

    init(
        _ bundle: ScriptBundle, protocols: ProtocolTable = ProtocolTable(),
        configure: (inout Configuration) -> Void = { _ in }
    ) throws {
        var configuration = Configuration()
        configuration.workers = 1
        configuration.demo = .nobody
        configuration.scripts.budget = .seconds(30)
        configuration.keepalive.pingInterval = .zero
        configuration.keepalive.idleTimeout = .zero
        configuration.websocket.maxQueue = 256 << 20
        configuration.timeouts.write = .seconds(1_000_000_000)
        configure(&configuration)
        node = Node(configuration: configuration, workers: 1, log: log.logger(), protocols: protocols)
        let clock = clock
        let loop = EventLoop(clock: { clock.now })
        let page = PlainPages(adminURL: "http://127.0.0.1:9080", adminSocket: nil, for: .nobody)
        worker = try Worker(index: 0, node: node, page: page, admin: [], loop: loop)
        #expect(worker.start(bundle).isEmpty)
    }

    /// The lines with fields that scripts have logged since the last call.
    func takeLines() -> [String] { log.take() }

    /// How much of its slice a turn has. The events of a turn must not depend on the machine.
    enum Slice: CaseIterable {
        /// More than it uses.
        case whole
        /// The first event uses it up.
        case oneEvent
        /// It is used up before the first event, so that new input waits too.
        case none
        /// The same, but new input does not wait.
        case over

        fileprivate var made: TurnSlice {
            let hour: UInt64 = 3_600_000_000_000
            let length = self == .oneEvent || self == .none ? 0 : hour
            var slice = TurnSlice(length: length, cpu: 0 &- hour, coarseTick: 0)
            if self == .none || self == .over { slice.measure(cpu: 0, wall: hour) }
            return slice
        }
    }

    /// One turn of the loop, a millisecond after the last; none when the worker has ended.
    func turn(_ slice: Slice = .whole) {
        clock.now += 1
        worker.turns.slice = slice.made
        if worker.shutdown.hasEnded { worker.replies.post() } else { worker.loop.turn(waitingAtMost: 0) }
    }

    /// A place for the worker's answer to a question of this number.
    func reply(_ ticket: UInt64) -> Reply<ScriptAnswer> {
        let reply = Reply(ticket: ticket, answers: Answers<ScriptAnswer>())
        replies[ticket] = reply.answers
        return reply
    }

    /// The messages that the worker has sent to the admin thread since the last call.
    func takeMessages() -> [AdminMessage] { node.admin.isEmpty ? [] : node.admin.wait() }

    /// The same, only the scripts' answers.
    func takeAnswers() -> [(ticket: UInt64, answer: ScriptAnswer)] {
        takeMessages().flatMap { message in
            guard case .answered(let ticket) = message, let answers = replies.removeValue(forKey: ticket) else {
                return [(ticket: UInt64, answer: ScriptAnswer)]()
            }
            return answers.sorted.map { (ticket, $0.answer) }
        }
    }

    /// Makes a bundle live as the reloader does; its errors otherwise.
    func reload(_ bundle: ScriptBundle) -> [ScriptError] {
        round += 1
        worker.reload.prepare(bundle, round: round)
        for message in node.reloader.isEmpty ? [] : node.reloader.wait() {
            if case .prepared(_, _, let errors, _) = message, !errors.isEmpty { return errors }
        }
        worker.reload.commit(round: round)
        return []
    }

    /// Lets go of the scripts, as the end of the thread does.
    func end() {
        worker.loop.atEndOfTurn { [worker] in worker.loop.stop() }
        worker.run()
    }
}

/// The other end of a connection of a ``HandWorker``.
final class HandClient {
    private var descriptor: Int32
    private(set) var received: [UInt8] = []
    /// The number of received bytes that are kept.
    var kept = 12
    /// Whether it leaves received bytes in the socket.
    var isSlow = false

    /// Connects, and sends an upgrade request.
    init(to hand: HandWorker, ip: UInt32, target: String, subprotocols: String? = nil) {
        let pair = SocketPair()
        descriptor = pair.far
        hand.worker.admission.accept(pair.near, SocketAddress(ipv4: ip, port: 1))
        let offer = subprotocols.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? ""
        send(
            Array(
                ("GET \(target) HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + offer
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8))
    }

    deinit { close() }

    var isClosed: Bool { descriptor < 0 }

    /// The status of the answer to the upgrade, once it is there.
    var status: Int? {
        let head = received.prefix(12)
        return head.count == 12 ? Int(String(decoding: head.suffix(3), as: UTF8.self)) : nil
    }

    func send(_ bytes: [UInt8]) {
        guard descriptor >= 0 else { return }
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Takes what has come, and keeps the beginning of it; false when nothing has.
    @discardableResult
    func read() -> Bool {
        guard descriptor >= 0, !isSlow else { return false }
        var hasRead = false
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            while true {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                guard count > 0 else { return }
                hasRead = true
                if received.count < kept { received += buffer.prefix(min(count, kept - received.count)) }
            }
        }
        return hasRead
    }

    func close() {
        if descriptor >= 0 { hangUp(descriptor) }
        descriptor = -1
    }
}

/// The scripts' log.
private final class ScriptLines: Sendable {
    private let lines = Mutex<[String]>([])

    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    func logger() -> Logger {
        var logger = Logger(label: "hand") { _ in Handler(lines: self) }
        logger.logLevel = .info
        return logger
    }

    private struct Handler: LogHandler {
        let lines: ScriptLines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = "\(event.message)"
            guard event.level == .info, text.contains("|") else { return }
            lines.lines.withLock { $0.append(text) }
        }
    }
}
