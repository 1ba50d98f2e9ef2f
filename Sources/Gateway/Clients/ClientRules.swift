// The rules of the configuration for every client, converted once for each worker.

import HTTP1
import Settings

/// Limits, times and policies that hold for all connections of a worker.
struct ClientRules: Sendable {
    /// Milliseconds until a request must be complete.
    let handshakeTimeout: UInt64
    /// Milliseconds until the peer must have answered our Close frame, and hung up.
    let closeTimeout: UInt64
    let handshake: HandshakeLimits
    let rates: RateLimit
    let proxies: ProxyRules
    let maxMessage: Int
    let maxFragments: Int
    let maxQueue: Int
    let onFullQueue: Configuration.WebSocket.FullQueuePolicy
    let maxChannels: Int
    /// Bytes that a connection may still send when its end is decided.
    let closeInput: UInt32

    init(_ configuration: Configuration) {
        handshakeTimeout = configuration.timeouts.handshake.milliseconds
        closeTimeout = configuration.timeouts.close.milliseconds
        handshake = HandshakeLimits(configuration)
        rates = RateLimit(configuration.limits)
        proxies = ProxyRules(configuration)
        maxMessage = configuration.websocket.maxMessage
        maxFragments = configuration.limits.fragments
        maxQueue = configuration.websocket.maxQueue
        onFullQueue = configuration.websocket.onFullQueue
        maxChannels = configuration.websocket.maxChannels
        closeInput = UInt32(configuration.limits.closeInput)
    }
}

// The limits of a connection that is no WebSocket yet. Requests that are not for one (health checks, the demo page, lost
// browsers) are cheap, but a connection that goes on with them for ever takes a place that a client could have.

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
