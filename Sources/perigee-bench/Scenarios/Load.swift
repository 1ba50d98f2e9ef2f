// The common part of all scenarios: a loop with clients on it, the counting, and the window of time in which it counts.
//
// Runs on: the main thread, which is the loop's.
// Read next: ClientScenarios.swift, then ../Clients/LoadClient.swift.

import CLinux
import EventLoop
import Glibc
import WebSocket

/// Clients of one server on one loop. Subclasses say what the clients do.
class Load {
    /// How many handshakes are in flight at a time while clients are opened in bulk.
    private static let handshakesAtATime = 128
    /// The time for opening all of them, in seconds.
    private static let openingTime = 60.0
    /// The time for which the load runs before it is measured, in seconds.
    private static let warmUp = 0.5

    let loop = EventLoop()
    let server: ServerUnderTest
    /// The bytes of the handshake that each client sends.
    let request: [UInt8]
    private(set) var clients: [LoadClient] = []
    private(set) var openCount = 0
    /// Connections that the server closed.
    private(set) var lostCount = 0
    /// The unit that the window counts: messages, deliveries or handshakes.
    final var count = 0
    private var latency = Histogram()
    private var isMeasuring = false
    private var failure: BenchError?
    private let compression = Compression(DeflatePolicy())

    init(_ server: ServerUnderTest, path: String) {
        self.server = server
        request = Array(
            """
            GET \(path) HTTP/1.1\r
            Host: \(server.clients)\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: cGVyaWdlZS1iZW5jaC4uLg==\r
            \(server.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "")\r

            """.utf8)
    }

    // MARK: For subclasses

    func clientOpened(_ client: LoadClient) { openCount += 1 }

    /// The client has received so many messages of the load; the subclass counts them.
    func clientReceived(_ client: LoadClient, _ messages: Int) {}

    func clientClosed(_ client: LoadClient) {
        if client.isOpen { openCount -= 1 }
        if !client.isLeaving { lostCount += 1 }
    }

    /// Ends the measurement with an error.
    final func fail(_ text: String) { fail(BenchError(text)) }

    final func fail(_ error: BenchError) { failure = failure ?? error }

    /// The message of a compressed payload, valid until the next call; empty when the payload cannot be inflated.
    final func inflate(_ payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        switch compression.inflate(payload, binary: true, with: nil, maxMessage: 1 << 30) {
        case .message(let message): message
        case .failure: UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    final func note(latency nanoseconds: UInt64) {
        if isMeasuring { latency.add(nanoseconds) }
    }

    // MARK: For scenarios

    /// Begins a connection.
    final func connect() throws(BenchError) { clients.append(try LoadClient(self)) }

    /// Releases the clients that have closed.
    final func forgetClosed() { clients.removeAll { $0.descriptor < 0 } }

    /// Opens clients until there are `total`, and returns when all of them are open.
    final func open(_ total: Int) throws(BenchError) {
        let end = clinux_monotonic_nanoseconds() + UInt64(Self.openingTime * 1e9)
        while openCount < total {
            while clients.count < total, clients.count - openCount < Self.handshakesAtATime { try connect() }
            try turn()
            guard lostCount == 0 else {
                throw BenchError("nothing at \(server.clients) takes WebSocket clients: is the server there?")
            }
            guard clinux_monotonic_nanoseconds() < end else {
                throw BenchError("only \(openCount) of \(total) connections opened in \(Int(Self.openingTime)) s")
            }
        }
    }

    /// Turns the loop until `seconds` are over or `condition` holds.
    final func run(for seconds: Double, until condition: () -> Bool = { false }) throws(BenchError) {
        let end = clinux_monotonic_nanoseconds() + UInt64(seconds * 1e9)
        while clinux_monotonic_nanoseconds() < end, !condition() { try turn() }
    }

    private func turn() throws(BenchError) {
        loop.turn(waitingAtMost: 10)
        if let failure { throw failure }
    }

    /// Runs the load for the warm-up, then counts for `seconds`.
    final func measure(seconds: Double) throws(BenchError) -> Window {
        try run(for: min(Self.warmUp, seconds))
        latency = Histogram()
        let before = Snapshot(count: count, server: server.process)
        isMeasuring = true
        try run(for: seconds)
        isMeasuring = false
        let after = Snapshot(count: count, server: server.process)
        guard after.count > before.count else {
            throw BenchError("nothing came back for \(seconds.text(digits: 1)) s: is the path the right one?")
        }
        return Window(from: before, to: after, latency: latency)
    }
}
