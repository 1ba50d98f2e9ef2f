// The actions of bad clients, backends and operators during a soak.

import JSON
import PerigeeTestKit
import SeededGenerator
import Testing

extension Soak {
    private typealias Action = (name: String, weight: Int, body: @Sendable (Soak) throws -> Void)

    private static let all: [Action] = [
        ("conversations", 6, { try $0.converse() }),
        ("guests", 8, { try $0.invite() }),
        ("departures", 4, { $0.dismiss() }),
        ("resets", 6, { try $0.connectAndReset() }),
        ("hostile streams", 6, { try $0.playHostileStream() }),
        ("garbage", 6, { try $0.sendGarbage() }),
        ("pushes", 8, { try $0.push() }),
        ("looks", 3, { try $0.look() }),
        ("closes", 2, { try $0.closeSomebody() }),
        ("reloads", 1, { try $0.reload() }),
    ]

    /// One random action; the likelihood of each is its weight.
    func act() throws {
        var lot = Int.random(in: 0..<Self.all.reduce(0) { $0 + $1.weight }, using: &generator)
        for action in Self.all {
            lot -= action.weight
            guard lot < 0 else { continue }
            actions[action.name, default: 0] += 1
            return try action.body(self)
        }
    }

    private func dial(receiveBuffer: Int? = nil) throws -> RawSocket {
        try RawSocket.connect(port: perigee.clientPort, timeout: .seconds(20), receiveBuffer: receiveBuffer)
    }

    private func connect(_ path: String, receiveBuffer: Int? = nil) throws -> WebSocketClient {
        try WebSocketClient.connect(
            port: perigee.clientPort, path: path, timeout: .seconds(20), receiveBuffer: receiveBuffer)
    }

    private func ask(_ method: String, _ path: String, body: String = "") throws -> HTTPResponse {
        try HTTPClient(port: perigee.adminPort, timeout: .seconds(20)).request(method, path, body: body)
    }

    private func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    private func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    // MARK: Clients

    /// An honest client from its handshake to its Close.
    private func converse() throws {
        let client = try connect("/echo")
        let text = String(repeating: "e", count: random(0...20_000))
        try client.send(text)
        while try client.receiveText() != text {}
        try client.close()
        try client.expectClose(skippingMessages: true)
    }

    private func invite() throws {
        let kind = SoakGuest.Kind.allCases.randomElement(using: &generator)!
        let text = ClientFrame.text(String(repeating: "f", count: random(0...2000))).bytes
        switch kind {
        case .halfOpen:
            let socket = try dial()
            let whole = Array(WebSocketClient.request(path: "/", host: "127.0.0.1").utf8)
            try socket.send(Array(whole.prefix(random(0...whole.count - 1))))
            receive(SoakGuest(kind, socket: socket))
        case .slowReader:
            receive(SoakGuest(kind, socket: try connect("/", receiveBuffer: 4096).socket))
        case .flooder:
            let flood = Array(repeatElement(text, count: 50).joined())
            receive(SoakGuest(kind, socket: try connect("/echo", receiveBuffer: 4096).socket, sends: flood))
        case .dripper:
            receive(SoakGuest(kind, socket: try connect("/").socket, sends: text))
        case .listener:
            receive(SoakGuest(kind, socket: try connect("/").socket))
        }
    }

    private func connectAndReset() throws {
        let socket = try generator.oneIn(2) ? dial() : connect("/").socket
        try? socket.send(randomBytes(random(0...200)))
        try socket.reset()
    }

    /// A row of the hostile tables, with the fate that is due to it.
    private func playHostileStream() throws {
        let rows = [
            HostileStream.requests, HostileStream.handshakes, HostileStream.frames,
            HostileStream.compressedFrames, HostileStream.adminRequests,
        ].randomElement(using: &generator)!
        let row = rows.randomElement(using: &generator)!
        let fate = try row.play(clients: perigee.clientPort, admin: perigee.adminPort)
        #expect(fate == row.fate, "\(row)")
    }

    /// Noise on either port, or a good beginning and then noise.
    private func sendGarbage() throws {
        let port = generator.oneIn(3) ? perigee.adminPort : perigee.clientPort
        let socket = try generator.oneIn(2) ? RawSocket.connect(port: port) : connect("/").socket
        try? socket.send(randomBytes(random(1...3000)))
        if generator.oneIn(2) { try? socket.shutdownWrite() }
        receive(SoakGuest(.listener, socket: socket))
    }

    // MARK: Backends and operators

    private func push() throws {
        let body = String(repeating: "p", count: random(0...30_000))
        let path = ["channels/news", "channels/nobody", "users/user%202"].randomElement(using: &generator)!
        let answer =
            try generator.oneIn(20)
            ? ask("POST", "/v1/messages", body: "all") : ask("POST", "/v1/\(path)/messages", body: body)
        #expect(answer.status == 200, "\(answer)")
    }

    private func look() throws {
        let paths = ["/v1/node", "/v1/connections?limit=1000", "/v1/channels", "/v1/scripts"]
        #expect(try ask("GET", paths.randomElement(using: &generator)!).status == 200)
    }

    private func closeSomebody() throws {
        let page = try ask("GET", "/v1/connections?path=/&limit=20").json()["items"]?.array ?? []
        guard let id = page.randomElement(using: &generator)?["id"]?.string else { return }
        #expect([200, 404].contains(try ask("DELETE", "/v1/connections/\(id)?code=4000").status))
    }

    /// Scripts of another version; one in four is broken, and the old ones go on.
    private func reload() throws {
        reloads += 1
        let isBroken = generator.oneIn(4)
        let source =
            isBroken ? SoakScripts.broken.randomElement(using: &generator)! : SoakScripts.main(word: "w\(reloads)")
        try perigee.folder.write(source, to: "main.lua")
        #expect(try ask("POST", "/v1/scripts/reload").status == (isBroken ? 422 : 200))
    }
}
