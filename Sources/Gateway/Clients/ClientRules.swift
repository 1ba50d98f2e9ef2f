// The rules of the configuration for every client, converted once for each worker.

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
