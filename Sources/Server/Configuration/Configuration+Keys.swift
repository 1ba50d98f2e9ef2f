// The table of keys: the single source of what can be configured. A new key is a field in a section and a row here;
// every layer and the documented file follow.
//
// Read next: ConfigurationKey.swift

internal import Logging

extension Configuration {
    /// Every section with what it is about, in the order of the documented file.
    static let sections: [(name: String, documentation: String)] = [
        ("log", "What is logged. The log goes to standard error."),
        ("admin", "The admin API: pushes from backends, and a look inside. Keep it apart from the clients' port."),
        (
            "tls",
            """
            TLS for clients (wss://), and for the admin API if admin.tls says so. Certificates that change are loaded for new
            connections: at once if they are watched, and at SIGHUP.
            """
        ),
        ("scripts", "The Lua scripts that decide what the server does."),
        ("httpClient", "Requests of scripts to other servers (http), in each worker."),
        ("kv", "The key-value store that scripts on all workers share."),
        ("websocket", "Limits of each client's connection."),
        ("compression", "permessage-deflate (RFC 7692), for clients that offer it, as browsers do."),
        ("proxies", "Proxies and load balancers before the clients' port: whose word about the client is taken."),
        ("http", "Limits of the head of an HTTP request, on both ports."),
        ("keepalive", "How Perigee finds out that a client is gone."),
        ("limits", "How many clients there may be, and how much each may send."),
        ("timeouts", "How long Perigee waits for others."),
        ("drain", "How connections end when Perigee stops, or hands over to a new process (SIGUSR2)."),
    ]

    /// Every key, those of one section next to each other.
    static let keys: [ConfigurationKey] =
        serverKeys + logKeys + adminKeys + tlsKeys + scriptKeys + httpClientKeys + kvKeys + webSocketKeys
        + compressionKeys
        + proxyKeys + httpKeys + keepaliveKeys + limitKeys + timeoutKeys + drainKeys

    static let anyTime: ClosedRange<Duration> = .milliseconds(10) ... .seconds(3600)

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
            Who gets the demo page at GET / on the clients' port; it says where the admin API is, and which version runs.
            loopback: clients of this machine that come without a proxy, everybody else is answered 426. true: everybody.
            """),
    ]

    private static let logKeys = [
        ConfigurationKey(
            "log.level", \.log.level, .choice([.trace, .debug, .info, .notice, .warning, .error]),
            "The least severe level that is written."),
        ConfigurationKey(
            "log.format", \.log.format, .choice,
            "text is a line for people: time, level, message, key=value fields. json is one object on each line."),
        ConfigurationKey(
            "log.maxQueue", \.log.maxQueue, .size((64 << 10)...(1 << 30)),
            """
            What may wait to be written while nobody reads the log. Beyond it entries are dropped, until half of it is written;
            the log then says how many.
            """),
    ]

    private static let adminKeys = [
        ConfigurationKey(
            "admin.listen", \.admin.listen, .address,
            """
            Where the admin API listens. Without a key it must be an address that only this machine reaches, or a UNIX
            socket: curl --unix-socket PATH http://localhost/v1/node.
            """),
        ConfigurationKey(
            "admin.keys", \.admin.keys, .adminKeys, secret: true,
            """
            The keys that open the API; none: open to everybody on this machine. A key has 16 or more characters.
            Without scopes it opens everything; its scopes are some of publish (push messages), read (look),
            manage (close connections, reload scripts). In a variable: NAME=KEY or NAME:SCOPE+SCOPE=KEY.
              keys:
                - name: shop
                  key: at-least-16-characters
                  scopes: [publish]
            """),
        ConfigurationKey(
            "admin.maxBody", \.admin.maxBody, .size(1...(1 << 30)),
            "The largest body of a request; a larger one is answered 413."),
        ConfigurationKey(
            "admin.headTimeout", \.admin.headTimeout, .time(anyTime),
            "How long a request's head may take to arrive; a slower one is answered 408."),
        ConfigurationKey(
            "admin.requestTimeout", \.admin.requestTimeout, .time(anyTime),
            "How long a request may take to arrive; a slower one is answered 408."),
        ConfigurationKey(
            "admin.tls", \.admin.tls, .flag,
            "Whether the API speaks TLS, with the certificates of tls.certificates."),
    ]

    private static let tlsKeys = [
        ConfigurationKey(
            "tls.certificates", \.tls.certificates, .certificates,
            """
            PEM files: a certificate with the chain behind it, and its key; none: no TLS. A client gets the certificate for the
            server name that it asks for, else the first one. In a variable: CERTIFICATE=KEY,CERTIFICATE=KEY.
              certificates:
                - certificate: /etc/perigee/fullchain.pem
                  key: /etc/perigee/privkey.pem
            """),
        ConfigurationKey("tls.minVersion", \.tls.minVersion, .choice, "The oldest version of TLS that is spoken."),
        ConfigurationKey(
            "tls.clientCertificates", \.tls.clientCertificates, .choice,
            "Whether clients show certificates; scripts see the subject as conn.certificate."),
        ConfigurationKey(
            "tls.clientCA", \.tls.clientCA, .optionalFile,
            "A PEM file with the authorities that sign clients' certificates."),
        ConfigurationKey(
            "tls.watch", \.tls.watch, .flag,
            "Whether certificates that change are loaded at once. Without it, SIGHUP loads them."),
    ]

    private static let scriptKeys = [
        ConfigurationKey("scripts.folder", \.scripts.folder, .folder, "The folder of the scripts."),
        ConfigurationKey(
            "scripts.watch", \.scripts.watch, .flag,
            "Whether a saved script is loaded at once. Without it, SIGHUP and the admin API reload."),
        ConfigurationKey(
            "scripts.debounce", \.scripts.debounce, .time(.milliseconds(1) ... .seconds(60)),
            "How long the folder must be quiet before a change is loaded."),
        ConfigurationKey(
            "scripts.loadBudget", \.scripts.loadBudget, .time(anyTime),
            "How long loading the scripts may take; longer fails the load, and the old ones stay."),
        ConfigurationKey(
            "scripts.reloadTimeout", \.scripts.reloadTimeout, .time(anyTime),
            """
            How long a worker may take to come to each step of a reload, scripts.loadBudget not counted; longer gives the
            reload up, and the answer says what the worker does.
            """),
        ConfigurationKey(
            "scripts.warning", \.scripts.warning, .time(anyTime),
            "The CPU time after which a running handler is reported in the log, once a minute for each place."),
        ConfigurationKey(
            "scripts.budget", \.scripts.budget, .time(anyTime),
            "The CPU time after which a running handler is killed, from one wait to the next."),
        ConfigurationKey(
            "scripts.turnSlice", \.scripts.turnSlice, .time(.milliseconds(1) ... .seconds(1)),
            "The CPU time that scripts have in one turn of a worker. What is left over goes on after the other sockets."
        ),
        ConfigurationKey(
            "scripts.eventTimeout", \.scripts.eventTimeout, .time(.milliseconds(10) ... .seconds(3600)),
            "How long a handler may take with all its waits. Then its wait ends with \"timeout\", the next one kills it."
        ),
        ConfigurationKey(
            "scripts.maxWaiting", \.scripts.maxWaiting, .number(1...1_000_000),
            "Handlers that may wait at once in each worker. Beyond it, waiting is an error."),
        ConfigurationKey(
            "scripts.maxTimers", \.scripts.maxTimers, .number(1...1_000_000),
            "Timers that scripts may have at once in each worker. Beyond it, starting one is an error."),
        ConfigurationKey(
            "scripts.maxSpawned", \.scripts.maxSpawned, .number(1...1_000_000),
            "Functions of server.spawn that may wait to be called in each worker. Beyond it, server.spawn is an error."),
        ConfigurationKey(
            "scripts.stuckAfter", \.scripts.stuckAfter, .time(.milliseconds(100) ... .seconds(3600)),
            "The CPU time beyond the budget after which a handler is reported that does not end though it was killed."),
        ConfigurationKey(
            "scripts.onStuck", \.scripts.onStuck, .choice,
            "What is done then: log it, or abort the process, so that the service manager starts it anew."),
        ConfigurationKey(
            "scripts.memory", \.scripts.memory, .size((1 << 20)...(64 << 30)),
            "Lua's memory in each worker. Beyond it an allocation fails, and with it that one event."),
        ConfigurationKey(
            "scripts.metricSeries", \.scripts.metricSeries, .number(0...100_000),
            "How many series (name and labels) the scripts of each worker may measure; one more is dropped and counted."
        ),
        ConfigurationKey(
            "scripts.degradedKills", \.scripts.degradedKills, .number(0...1_000_000),
            "So many handlers killed within a minute make /readyz say 'degraded'; 0 for never."),
        ConfigurationKey(
            "scripts.largestBlock", \.scripts.largestBlock, .size((64 << 10)...(64 << 30)),
            "The largest block of Lua's memory: one string, say. Beyond it the allocation fails."),
        ConfigurationKey(
            "scripts.coroutines", \.scripts.coroutines, .number(1...1_000_000),
            "How many coroutines scripts may have at once in each worker, waiting handlers not counted."),
        ConfigurationKey(
            "scripts.onError", \.scripts.onError, .choice,
            "What an error in a handler does to its connection: keep it, or close it with 1011."),
        ConfigurationKey(
            "scripts.routes", \.scripts.routes, .routes,
            """
            The script of each path. Empty: by file name, chat.lua serves /chat and main.lua every other path.
            Else only the paths named here are served, "*" being every other. In a variable: PATH=SCRIPT,PATH=SCRIPT.
              routes:
                /chat: rooms/chat
                "*": main
            """),
        ConfigurationKey(
            "scripts.upload", \.scripts.upload, .flag,
            """
            Whether the admin API takes scripts: PUT /v1/scripts/NAME writes into the folder, for whoever has a key with
            the scope manage.
            """),
        ConfigurationKey(
            "scripts.settings", \.scripts.settings, .settings, secret: true,
            """
            Your own settings; scripts see them as config.NAME. In a variable: NAME=VALUE,NAME=VALUE or {NAME: VALUE}.
              settings:
                greeting: Hello
                limits: [10, 100]
            """),
    ]

    private static let kvKeys = [
        ConfigurationKey(
            "kv.memory", \.kv.memory, .size((64 << 10)...(64 << 30)), "What the store may hold, keys included.")
    ]

    private static let webSocketKeys = [
        ConfigurationKey(
            "websocket.maxMessage", \.websocket.maxMessage, .size(1...(1 << 30)),
            "The largest message a client may send; a larger one closes its connection with 1009."),
        ConfigurationKey(
            "websocket.maxQueue", \.websocket.maxQueue, .size((1 << 10)...(1 << 30)),
            "What may wait for a slow client."),
        ConfigurationKey(
            "websocket.onFullQueue", \.websocket.onFullQueue, .choice,
            """
            What a message for one client (conn:send, a push to a connection or user) does when the queue is full:
            close the connection with 1013, or refuse the message; conn:send then answers false, "slow".
            """),
        ConfigurationKey(
            "websocket.slowConsumers", \.websocket.slowConsumers, .slowConsumers,
            """
            What a channel's publications do when the queue is full, by patterns of channel names; the most exact one
            counts, and where none matches it is close. close: the connection is closed with 1013. drop_oldest: the oldest
            that wait give way. drop_newest: the new one is lost. conflate: only the newest of each channel waits, or of
            each key that its publisher gives. In a variable: PATTERN=POLICY,PATTERN=POLICY.
              slowConsumers:
                ticker.*: conflate
                "*": close
            """),
        ConfigurationKey(
            "websocket.subprotocols", \.websocket.subprotocols, .tokens,
            "Subprotocols that the server speaks; a client gets its first choice among them. In a variable: NAME,NAME."),
        ConfigurationKey(
            "websocket.origins", \.websocket.origins, .origins,
            """
            Which web pages may connect, by the Origin that browsers send; others are answered 403, programs send none and
            may. Empty: same-origin, pages of the host and port that the request is for (its Host; the schemes are not
            compared, because a proxy may have ended TLS). Else only what is listed: add same-origin to keep it.
            """),
        ConfigurationKey(
            "websocket.maxChannels", \.websocket.maxChannels, .number(1...1_000_000),
            "Channels that one connection may subscribe to."),
    ]

    private static let compressionKeys = [
        ConfigurationKey("compression.enabled", \.compression.enabled, .flag, "Whether messages are compressed."),
        ConfigurationKey(
            "compression.threshold", \.compression.threshold, .size(0...(1 << 30)),
            "Messages to clients below this size are sent as they are, and larger ones where that is smaller."),
        ConfigurationKey(
            "compression.level", \.compression.level, .number(1...9), "How hard to compress: 1 is fast, 9 is small."),
        ConfigurationKey(
            "compression.contextTakeover", \.compression.contextTakeover, .flag,
            """
            Whether a message may refer to earlier ones: smaller, but with up to 300 KiB for each connection that uses
            it, and a broadcast is then compressed for each of them anew.
            """),
        ConfigurationKey(
            "compression.windowBits", \.compression.windowBits, .number(9...15),
            "The window that messages are compressed with has 2 to this power bytes."),
    ]

    private static let httpKeys = [
        ConfigurationKey(
            "http.maxHead", \.http.maxHead, .size((1 << 10)...(1 << 20)),
            "The request line and all fields together; more is answered 431."),
        ConfigurationKey(
            "http.maxFields", \.http.maxFields, .number(1...10_000), "Fields in a request; more are answered 431."),
    ]

    private static let timeoutKeys = [
        ConfigurationKey(
            "timeouts.handshake", \.timeouts.handshake, .time(anyTime),
            "From a connection to its complete handshake; longer is answered 408."),
        ConfigurationKey(
            "timeouts.plain", \.timeouts.plain, .time(anyTime),
            "How long a connection may be used for requests that are not for a WebSocket; then it ends."),
        ConfigurationKey(
            "timeouts.close", \.timeouts.close, .time(anyTime),
            "From our close frame to the client's; then the connection is cut."),
        ConfigurationKey(
            "timeouts.write", \.timeouts.write, .time(anyTime),
            "How long a client may take nothing of what waits for it; then the connection is cut."),
        ConfigurationKey(
            "timeouts.stop", \.timeouts.stop, .time(anyTime),
            "From the last close frame of a stop until every connection has closed; then what is left is cut."),
    ]

    private static let drainKeys = [
        ConfigurationKey(
            "drain.window", \.drain.window, .time(.zero ... .seconds(3600)),
            """
            The close frames (1012) are spread over this time, so that not all clients come back at once; few
            connections, 10 of each worker in 100ms, take less. 0ms closes all at once. A second signal ends it.
            """),
        ConfigurationKey(
            "drain.retry", \.drain.retry, .time(.zero ... .seconds(3600)),
            "Each client is told to come back after a random part of this time: \"restarting, retry in 2.4 s\"."),
        ConfigurationKey(
            "drain.handover", \.drain.handover, .time(anyTime),
            "How long a new process may take to be ready; after that it is ended, and the old one goes on."),
    ]
}
