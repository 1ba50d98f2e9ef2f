// The limits of a connection that is no WebSocket yet. Requests that are not for one (health checks, the demo page, lost
// browsers) are cheap, but a connection that goes on with them for ever takes a place that a client could have.

import HTTP1
import Settings

/// The limits on the HTTP part of a connection's life.
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
