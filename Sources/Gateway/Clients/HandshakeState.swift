// What a connection needs only until it is open: the parser, and whether it has answered plain requests already.

import HTTP1
import WebSocket

/// The HTTP part of a connection's life.
final class HandshakeState {
    var parser: RequestParser
    /// When the connection came, on the loop's clock.
    private let began: UInt64
    /// Requests answered on this connection that were not for a WebSocket.
    var answered = 0

    /// What is to be answered when the script, which waits, has decided.
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
