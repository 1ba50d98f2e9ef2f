// The state of a connection until it is open: the parser, and whether it has answered plain requests already.

import HTTP1
import Settings
import WebSocket

/// The HTTP part of a connection's life.
final class HandshakeState {
    var parser: RequestParser
    /// When the connection came, on the loop's clock.
    private let began: UInt64
    /// Requests answered on this connection that were not for a WebSocket.
    var answered = 0

    /// The answer to send when the script, which waits, has decided.
    var awaited: (acceptance: Handshake.Acceptance, subprotocol: String?)?

    /// The bytes of a half-read header of the PROXY protocol; fewer than `ProxyHeader.longest`.
    var proxyHeader: [UInt8] = []

    init(limits: HTTPLimits, now: UInt64) {
        parser = RequestParser(limits: limits)
        began = now
    }

    /// How long the connection may still be used for plain requests, in milliseconds.
    func plainTimeLeft(of time: UInt64, now: UInt64) -> UInt64 { time - min(time, now - began) }
}

// The limits of a connection that is no WebSocket yet. Requests that are not for one (health checks, the demo page, lost
// browsers) are cheap, but a connection that goes on with them for ever takes a place that a client could have.

/// What the configuration says about the HTTP part of a connection's life.
struct HandshakeLimits: Sendable {
    let head: HTTPLimits
    /// Subprotocols, and extensions with their parameters, that a handshake may offer.
    let offers: Int
    /// Plain requests that are answered on one connection; it ends with the last of them.
    let plainRequests: Int
    /// From the connection to the end of its plain requests, in milliseconds.
    let plainTime: UInt64

    init(_ configuration: Configuration) {
        var head = HTTPLimits()
        head.maxHead = configuration.http.maxHead
        head.maxFields = configuration.http.maxFields
        self.head = head
        offers = configuration.limits.offers
        plainRequests = configuration.limits.plainRequests
        plainTime = configuration.timeouts.plain.milliseconds
    }
}
