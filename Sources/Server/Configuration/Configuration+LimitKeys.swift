// The rows of the table of keys that are about clients: whether they are still there, how many there may be, and how much
// each may send.
//
// Read next: Configuration+Keys.swift.

extension Configuration {
    static let keepaliveKeys = [
        ConfigurationKey(
            "keepalive.pingInterval", \.keepalive.pingInterval, .timeOrNever(.seconds(1) ... .seconds(3600)),
            "From one ping of a connection to the next; 0 for no pings. The pings of all are spread over the interval."),
        ConfigurationKey(
            "keepalive.pongTimeout", \.keepalive.pongTimeout, .time(.milliseconds(100) ... .seconds(3600)),
            "When nothing at all has come for so long after a ping, the connection is closed with 1001."),
        ConfigurationKey(
            "keepalive.idleTimeout", \.keepalive.idleTimeout, .timeOrNever(.seconds(1) ... .seconds(86_400)),
            """
            A connection without a message in either direction for so long is closed with 1001, at most a quarter of the
            time later; 0 for never. Pings and pongs are no messages.
            """),
    ]

    private static let most = 1_000_000_000

    static let limitKeys = [
        ConfigurationKey(
            "limits.connections", \.limits.connections, .number(1...most),
            "Connections in all, those in the handshake included; one more is answered 503 with Retry-After."),
        ConfigurationKey(
            "limits.connectionsPerIP", \.limits.connectionsPerIP, .number(0...most),
            """
            WebSockets of one IPv4 address or one IPv6 /64 network; one more is answered 429. A connection that is kept for
            plain requests counts as well; one more ends after its answer. 0 for any number.
            """),
        ConfigurationKey(
            "limits.connectionsPerUser", \.limits.connectionsPerUser, .number(0...most),
            "Connections that conn:identify names the same user; one more is closed with 1008. 0 for any number."),
        ConfigurationKey(
            "limits.handshakesPerSecond", \.limits.handshakesPerSecond, .number(0...1_000_000),
            "New connections a second, and as many at once; more are answered 503 with Retry-After. 0 for any number."),
        ConfigurationKey(
            "limits.messagesPerSecond", \.limits.messagesPerSecond, .number(0...1_000_000),
            "Messages a second from one connection, pings and pongs included; 0 for any number."),
        ConfigurationKey(
            "limits.bytesPerSecond", \.limits.bytesPerSecond, .size(0...(1 << 40)),
            "Bytes a second from one connection; 0 for any number."),
        ConfigurationKey(
            "limits.burst", \.limits.burst, .time(.seconds(1) ... .seconds(60)),
            "What a connection may send at once after a silence: its messages and bytes of so long a time."),
        ConfigurationKey(
            "limits.ratePolicy", \.limits.ratePolicy, .choice,
            "What happens to a client that sends more: delay reads it more slowly, close closes it with 1008."),
        ConfigurationKey(
            "limits.fragments", \.limits.fragments, .number(1...most),
            "Frames of one message; more close the connection with 1008."),
        ConfigurationKey(
            "limits.closeInput", \.limits.closeInput, .size((4 << 10)...(1 << 30)),
            """
            Bytes that are still read from a connection after its close was decided, to find its own Close frame; a
            client that sends more is not read any further, and cut after timeouts.close.
            """),
        ConfigurationKey(
            "limits.offers", \.limits.offers, .number(1...10_000),
            "Subprotocols, and extensions with their parameters, that a handshake may offer; more are answered 400."
        ),
        ConfigurationKey(
            "limits.plainRequests", \.limits.plainRequests, .number(1...most),
            "Requests on one connection that are not for a WebSocket; it ends with the answer to the last one."
        ),
        ConfigurationKey(
            "limits.memory", \.limits.memory, .number(0...100),
            """
            Per cent of the memory of the machine, or of the control group, that Perigee may take; above it new
            connections are answered 503, and the others go on. 0 for no limit.
            """),
    ]
}
