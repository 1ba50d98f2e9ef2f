// The effective configuration: plain typed values, one field for each key that an operator can set. The initial value of a field is
// the key's default. Each section is a file in Sections/: the struct with its fields, and below it the rows of the table of keys,
// from which every layer and the documented file follow.
//
// Read next: Sections/Admin.swift, ConfigurationKey.swift, ConfigurationLoader.swift

public import PubSub

/// Every key that an operator can set, as one value; `init()` has the default of every key.
public struct Configuration: Sendable, Equatable {
    /// Where clients connect.
    public var listen = ListenAddress.anywhere(port: 8080)
    /// Worker threads, 0 to 256; 0 stands for one for each core.
    public var workers = 0
    /// The clients that get the demo page at `GET /` on the clients' port.
    public var demo = Demo.loopback
    /// The level of the log and its form.
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
    /// The options of channels, by patterns of their names.
    public var channels = ChannelRules()
    /// What channels keep of their publications.
    public var history = History()
    /// Compression of messages.
    public var compression = Compression()
    /// Proxies before the clients' port.
    public var proxies = Proxies()
    /// Limits of HTTP requests.
    public var http = HTTP()
    /// Pings, and how long a silent connection stays.
    public var keepalive = Keepalive()
    /// The number of clients, and the rates and sizes of their input.
    public var limits = Limits()
    /// How long Perigee waits for peers.
    public var timeouts = Timeouts()
    /// How connections end when the server stops or a new process takes over.
    public var drain = Drain()

    /// The default of every key.
    public init() {}

    /// The clients that get the demo page, which names the admin API and the version.
    public enum Demo: String, Sendable, CaseIterable {
        /// Everybody.
        case everybody = "true"
        /// Nobody.
        case nobody = "false"
        /// Clients of this machine without a proxy.
        case loopback
    }
}

extension Configuration {
    /// Every section, in the order of the documented file; the first has the keys outside of all sections.
    static let sections = [
        serverSection, Log.section, Admin.section, TLS.section, Scripts.section, HTTPClient.section, KV.section,
        WebSocket.section, History.section, Compression.section, Proxies.section, HTTP.section, Keepalive.section,
        Limits.section,
        Timeouts.section, Drain.section,
    ]

    /// Every key, those of one section next to each other.
    static let keys = sections.flatMap(\.keys)

    private static let serverSection = ConfigurationSection(nil, "", keys: serverKeys)

    private static let serverKeys = [
        ConfigurationKey(
            "listen", \.listen, .address,
            """
            Where clients connect. [::]:PORT takes IPv4 and IPv6. The file of a UNIX socket gets mode 0660, less the umask
            of the process, and is removed at the end.
            """),
        ConfigurationKey(
            "workers", \.workers, .number(0...256),
            "Worker threads, each with its own connections and Lua state; 0 starts one for each core."),
        ConfigurationKey(
            "demo", \.demo, .choice,
            """
            The clients that get the demo page at GET / on the clients' port; it names the admin API and the version.
            loopback: clients of this machine without a proxy; others are answered 426. true: all. false: none.
            """),
        channelsKey,
    ]
}
