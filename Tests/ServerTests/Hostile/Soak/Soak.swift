// A server under every kind of bad client at once. One thread plays them all: they are concurrent because most stay, up to some
// hundreds of them, each in the middle of its work, while others come, go, push and reload.
//
// Between any two of their actions a healthy client may ask for its echo, and must get it.
// Read next: SoakGuest.swift, Soak+Actions.swift

import Glibc
import JSON
import PerigeeTestKit
import SeededGenerator
import Testing
import TimeBound

/// One run against one program.
final class Soak {
    private static let limits = [
        "PERIGEE_WEBSOCKET_MAX_MESSAGE": "1MiB", "PERIGEE_WEBSOCKET_MAX_QUEUE": "256KiB",
        "PERIGEE_TIMEOUTS_HANDSHAKE": "1s", "PERIGEE_TIMEOUTS_CLOSE": "500ms", "PERIGEE_ADMIN_REQUEST_TIMEOUT": "1s",
        "PERIGEE_SCRIPTS_WATCH": "false", "PERIGEE_SCRIPTS_LOAD_BUDGET": "50ms", "PERIGEE_LOG_LEVEL": "error",
    ]
    private static let mostGuests = 300

    let perigee: PerigeeProcess
    var generator: SeededGenerator
    var guests: [SoakGuest] = []
    /// How often each action was done.
    var actions: [String: Int] = [:]
    var reloads = 0
    private var healthy: WebSocketClient
    private var echoes = 0

    init(seed: UInt64) throws {
        generator = SeededGenerator(seed: seed)
        perigee = try PerigeeProcess(scripts: SoakScripts.all(word: "first"), environment: Self.limits)
        healthy = try WebSocketClient.connect(port: perigee.clientPort, path: "/echo", timeout: .seconds(20))
    }

    /// The actions done, for the test's output.
    var report: String {
        actions.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            + ", \(echoes) echoes"
    }

    func run(for time: Duration) throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            try act()
            tendGuests()
            if generator.oneIn(4) { try expectEcho() }
            if generator.oneIn(50) { perigee.process.discardAvailable() }
        }
    }

    /// Sends everybody away, waits until the server has none but the healthy client, and looks.
    /// - Parameter descriptors: how many there should be; sockets that are still being hung up get their time.
    func settled(to descriptors: Int? = nil) throws -> ProcessFigures {
        for guest in guests { guest.leave(&generator) }
        guests = []
        let deadline = ContinuousClock.now + .seconds(20)
        while try nodeState()["connections"] != 1 {
            guard ContinuousClock.now < deadline else { throw ClientError.unexpected("connections that nobody has") }
        }
        try expectEcho()
        var figures = try ProcessFigures(of: perigee.process.pid)
        // The connection that has just asked for the node's state may not be closed yet: the least of half a second counts.
        let quiet = ContinuousClock.now + .milliseconds(500)
        while descriptors == nil, ContinuousClock.now < quiet {
            try expectEcho()
            let next = try ProcessFigures(of: perigee.process.pid)
            if next.descriptors < figures.descriptors { figures = next }
        }
        while let descriptors, figures.descriptors != descriptors, ContinuousClock.now < deadline {
            figures = try ProcessFigures(of: perigee.process.pid)
        }
        return figures
    }

    /// Stops the program; its exit status.
    func end() throws -> Int32 { try perigee.end(with: SIGTERM).status }

    func nodeState() throws -> JSON { try HTTPClient.once("GET", "/v1/node", port: perigee.adminPort).json() }

    func receive(_ guest: SoakGuest) {
        if guests.count >= Self.mostGuests { dismiss() }
        guests.append(guest)
    }

    /// Sends one of the guests away.
    func dismiss() {
        guard !guests.isEmpty else { return }
        let index = Int.random(in: guests.indices, using: &generator)
        guests[index].leave(&generator)
        guests.swapAt(index, guests.count - 1)
        guests.removeLast()
    }

    private func tendGuests() {
        for _ in 0..<min(8, guests.count) {
            guests.randomElement(using: &generator)?.goOn(&generator)
        }
    }

    /// The healthy client's messages always come back; messages to everybody come between them.
    private func expectEcho() throws {
        echoes += 1
        let text = "healthy \(echoes)"
        try healthy.send(text)
        try repeatUntil("the healthy client has its echo") { try healthy.receiveText(timeout: .seconds(20)) == text }
    }
}
