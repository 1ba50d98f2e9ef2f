// A loop that comes late: several timers are due in one turn, and one of them sets another again.

import EventLoop
import Glibc
import HTTPClient
import Testing
import TimeBound

@Suite("HTTP client: late turns", .serialized, .bounded)
struct LateTurnTests {
    @Test("a timer that libcurl sets in the turn of its last one is not lost")
    func twoAtOnce() throws {
        let deaf = try DeafListener()
        var settings = HTTPClientSettings()
        settings.connectTimeout = 200
        let stage = try Stage(settings: settings)
        var reasons: [String: HTTPClientError] = [:]
        func start(_ name: String, timeout: UInt64) throws {
            var request = try HTTPClientRequest(.get, "http://127.0.0.1:\(deaf.port)/\(name)")
            request.timeout = timeout
            stage.client.start(request) { if case .failure(let error) = $0 { reasons[name] = error } }
        }
        let begin = ContinuousClock.now
        try start("first", timeout: 150)
        stage.turn(atMost: 100) { false }
        try start("second", timeout: 20_000)
        stage.turn(atMost: 20) { false }
        // The loop turns again when the limit of the first request and libcurl's own for its connection are over. The first one
        // ends that request, and libcurl sets its timer for the second.
        try repeatUntil("both limits are over") { ContinuousClock.now - begin > .milliseconds(250) }
        #expect(stage.turn { reasons.count == 2 })
        #expect(reasons["first"]?.detail == "no response within 150 ms")
        // Not the limit of the whole request, 20 s later, but that of its connection.
        #expect(reasons["second"]?.reason == .timeout && reasons["second"]?.detail != "no response within 20000 ms")
    }
}

/// A listener whose queue is full, so that further connections get no answer.
private final class DeafListener {
    let port: UInt16
    private var descriptors: [Int32] = []

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptors.append(listener)
        // 127.0.0.1 and any port, in the kernel's form.
        let address: [UInt8] = [UInt8(AF_INET), 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
        _ = address.withUnsafeBytes {
            bind(listener, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        try #require(listen(listener, 0) == 0)
        port = SocketAddress.local(of: listener).port
        for _ in 0..<3 {
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            descriptors.append(filler)
            _ = SocketAddress(host: "127.0.0.1", port: port)!.connect(filler)
        }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
