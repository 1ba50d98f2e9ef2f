// The effective configuration: plain typed values, one field for each key that an operator can set. What a key allows,
// what it says about itself and how it is written is in the table of keys; its default is here, once, as the initial
// value of its field.
//
// Read next: Configuration+Keys.swift, then Configuration+Load.swift

/// Everything that an operator can tell Perigee, as one value; `init()` is the default of every key.
public struct Configuration: Sendable, Equatable {
    /// Where clients connect.
    public var listen = ListenAddress.anywhere(port: 8080)
    /// Worker threads, 0 to 256; 0 stands for one for each core.
    public var workers = 0
    /// Who gets the demo page at `GET /` on the clients' port.
    public var demo = Demo.loopback
    /// What is logged, and in which format.
    public var log = Log()
    /// The admin API.
    public var admin = Admin()
    /// TLS for clients.
    public var tls = TLS()
    /// The Lua scripts.
    public var scripts = Scripts()
    /// Scripts' requests to other servers.
    public var httpClient = HTTPClient()
    /// The key-value store that all scripts share.
    public var kv = KV()
    /// Limits of WebSocket connections.
    public var websocket = WebSocket()
    /// Compression of messages.
    public var compression = Compression()
    /// Proxies before the clients' port.
    public var proxies = Proxies()
    /// Limits of HTTP requests.
    public var http = HTTP()
    /// How clients are asked whether they are still there.
    public var keepalive = Keepalive()
    /// How many clients there may be, and how much each may send.
    public var limits = Limits()
    /// How long Perigee waits for peers.
    public var timeouts = Timeouts()
    /// How connections end when the server stops or a new process takes over.
    public var drain = Drain()

    /// The default of every key.
    public init() {}

    /// Who gets the demo page, which says where the admin API is and which version runs.
    public enum Demo: String, Sendable, CaseIterable {
        /// Everybody.
        case everybody = "true"
        /// Nobody.
        case nobody = "false"
        /// Clients of this machine that have come without a proxy.
        case loopback
    }
}
