// The test that proves the effect of a key of the configuration.

@testable import Settings

/// A key, a value that is unlike its default, and the test that gives the key such a value and sees the effect.
struct KeyProof {
    let key: String
    /// As a flag or variable has it.
    let unlike: String
    /// Below Tests/ServerTests.
    let file: String
    let function: String

    init(_ key: String, _ unlike: String, _ file: String, _ function: String) {
        (self.key, self.unlike, self.file, self.function) = (key, unlike, file, function)
    }

    static let all = [
        KeyProof("listen", "127.0.0.1:1234", "Listeners/IPv6Tests.swift", "loopback"),
        KeyProof("workers", "1", "Admin/LookingTests.swift", "node"),
        KeyProof("demo", "false", "Clients/PlainRequestTests.swift", "demoOff"),
        KeyProof("channels", "{news: {slow: conflate}}", "Channels/ChannelOptionTests.swift", "withChannels"),
        KeyProof("log.level", "error", "Configuration/Effects/LogKeyTests.swift", "level"),
        KeyProof("log.maxQueue", "1 MiB", "CommandLine/StalledLogTests.swift", "goesOn"),
        KeyProof("log.format", "json", "Configuration/Effects/LogKeyTests.swift", "format"),
        KeyProof("admin.listen", "127.0.0.1:1234", "Listeners/IPv6Tests.swift", "loopback"),
        KeyProof("admin.keys", "shop=0123456789abcdef", "Admin/AccessTests.swift", "scopes"),
        KeyProof("admin.maxBody", "1 KiB", "Admin/AdminHTTPTests.swift", "tooLarge"),
        KeyProof("admin.headTimeout", "50ms", "Limits/DeadlineTests.swift", "adminHead"),
        KeyProof("admin.requestTimeout", "50ms", "Admin/AdminHTTPTests.swift", "slow"),
        KeyProof("admin.tls", "true", "TLS/CertificateStartTests.swift", "announcement"),
        KeyProof("tls.certificates", "a.pem=a.key", "TLS/CertificateStartTests.swift", "announcement"),
        KeyProof("tls.minVersion", "1.3", "TLS/TLSHandshakeTests.swift", "versions"),
        KeyProof("tls.clientCertificates", "required", "TLS/ClientCertificateTests.swift", "withServer"),
        KeyProof("tls.clientCA", "ca.pem", "TLS/ClientCertificateTests.swift", "withServer"),
        KeyProof("tls.watch", "false", "TLS/CertificateReloadTests.swift", "signal"),
        KeyProof("scripts.folder", "/tmp", "Configuration/Effects/ScriptKeyTests.swift", "folder"),
        KeyProof("scripts.watch", "false", "Reload/FileWatcherTests.swift", "withWatching"),
        KeyProof("scripts.debounce", "1s", "Configuration/Effects/ScriptKeyTests.swift", "debounce"),
        KeyProof("scripts.loadBudget", "50ms", "Reload/StateReloadTests.swift", "slow"),
        KeyProof("scripts.reloadTimeout", "100ms", "Reload/LateWorkerTests.swift", "preparing"),
        KeyProof("scripts.maxTimers", "3", "FairTurns/FairTurnTests.swift", "bounds"),
        KeyProof("scripts.maxSpawned", "2", "FairTurns/FairTurnTests.swift", "bounds"),
        KeyProof("scripts.turnSlice", "50ms", "FairTurns/FairTurnTests.swift", "sliceLength"),
        KeyProof("scripts.warning", "200ms", "Configuration/Effects/ScriptKeyTests.swift", "warning"),
        KeyProof("scripts.budget", "20ms", "Scripts/WaitingTests.swift", "killed"),
        KeyProof("scripts.eventTimeout", "50ms", "Scripts/WaitingTests.swift", "timesOut"),
        KeyProof("scripts.maxWaiting", "1", "Scripts/PublishFilterTests.swift", "overload"),
        KeyProof("scripts.stuckAfter", "100ms", "CommandLine/StuckHandlerTests.swift", "reports"),
        KeyProof("scripts.onStuck", "abort", "CommandLine/StuckHandlerTests.swift", "aborts"),
        KeyProof("scripts.memory", "2 MiB", "Reload/ReloadTests.swift", "allOrNone"),
        KeyProof("scripts.metricSeries", "3", "Metrics/MetricsTests.swift", "limit"),
        KeyProof("scripts.degradedKills", "1", "Configuration/Effects/ScriptKeyTests.swift", "degradedKills"),
        KeyProof("scripts.largestBlock", "64 KiB", "Configuration/Effects/ScriptKeyTests.swift", "largestBlock"),
        KeyProof("scripts.coroutines", "5", "Configuration/Effects/ScriptKeyTests.swift", "coroutines"),
        KeyProof("scripts.onError", "close", "Clients/ScriptErrorTests.swift", "closes"),
        KeyProof("scripts.routes", "/chat=rooms/chat", "Reload/ReloadTests.swift", "routes"),
        KeyProof("scripts.upload", "true", "Reload/UploadTests.swift", "withUpload"),
        KeyProof("scripts.settings", "greeting=Hello", "Scripts/ShippedScriptsTests.swift", "deskOperator"),
        KeyProof("httpClient.concurrent", "2", "Configuration/Effects/HTTPClientKeyTests.swift", "concurrent"),
        KeyProof("httpClient.queued", "0", "Configuration/Effects/HTTPClientKeyTests.swift", "queued"),
        KeyProof(
            "httpClient.connectTimeout", "50ms", "Configuration/Effects/HTTPClientKeyTests.swift", "connectTimeout"),
        KeyProof("httpClient.lookups", "4", "Configuration/Effects/HTTPClientKeyTests.swift", "lookups"),
        KeyProof("httpClient.allowAdmin", "true", "HTTP/OwnAdminTests.swift", "allowed"),
        KeyProof("httpClient.timeout", "50ms", "Configuration/Effects/HTTPClientKeyTests.swift", "timeout"),
        KeyProof("httpClient.maxBody", "4", "Configuration/Effects/HTTPClientKeyTests.swift", "maxBody"),
        KeyProof("httpClient.maxHead", "1 KiB", "Configuration/Effects/HTTPClientKeyTests.swift", "maxHead"),
        KeyProof(
            "httpClient.idleConnections", "1", "Configuration/Effects/HTTPClientKeyTests.swift", "idleConnections"),
        KeyProof("httpClient.caFile", "ca.pem", "Configuration/Effects/HTTPClientKeyTests.swift", "caFile"),
        KeyProof("httpClient.allow", "0.0.0.0/8", "Configuration/Effects/HTTPClientKeyTests.swift", "allow"),
        KeyProof("httpClient.deny", "127.0.0.0/8", "Configuration/Effects/HTTPClientKeyTests.swift", "deny"),
        KeyProof("kv.memory", "64 KiB", "Configuration/Effects/ScriptKeyTests.swift", "storeMemory"),
        KeyProof("websocket.maxMessage", "100", "Clients/MessageTests.swift", "fragmentsTooLarge"),
        KeyProof("websocket.maxQueue", "256 KiB", "Channels/SlowConsumerTests.swift", "stopsReading"),
        KeyProof("websocket.onFullQueue", "refuse", "Channels/DrainTests.swift", "refuse"),
        KeyProof(
            "websocket.slowConsumers", "news=conflate", "Channels/SlowConsumerPolicyTests.swift", "withSlowClient"),
        KeyProof("websocket.subprotocols", "chat", "Clients/OnUpgradeTests.swift", "configuredSubprotocol"),
        KeyProof("websocket.origins", "https://example.com", "Proxies/OriginTests.swift", "listed"),
        KeyProof("websocket.maxChannels", "3", "Channels/SubscriptionTests.swift", "limit"),
        KeyProof("history.memory", "1 MiB", "Channels/HistoryTests.swift", "memory"),
        KeyProof("compression.enabled", "false", "Compression/CompressionTests.swift", "disabled"),
        KeyProof("compression.threshold", "10 KiB", "Configuration/Effects/CompressionKeyTests.swift", "threshold"),
        KeyProof("compression.level", "9", "Configuration/Effects/CompressionKeyTests.swift", "level"),
        KeyProof("compression.contextTakeover", "true", "Compression/CompressionTests.swift", "takeover"),
        KeyProof("compression.windowBits", "9", "Configuration/Effects/CompressionKeyTests.swift", "windowBits"),
        KeyProof("proxies.trusted", "10.0.0.0/8", "Proxies/ForwardedTests.swift", "ip"),
        KeyProof("proxies.protocol", "true", "Proxies/ProxyProtocolTests.swift", "withProxied"),
        KeyProof("proxies.header", "forwarded", "Proxies/ForwardedTests.swift", "ip"),
        KeyProof("http.maxHead", "1 KiB", "Clients/HandshakeTests.swift", "heads"),
        KeyProof("http.maxFields", "10", "Clients/HandshakeTests.swift", "heads"),
        KeyProof("keepalive.pingInterval", "1s", "Keepalive/KeepaliveTests.swift", "pings"),
        KeyProof("keepalive.pongTimeout", "100ms", "Keepalive/KeepaliveTests.swift", "pings"),
        KeyProof("keepalive.idleTimeout", "1s", "Keepalive/KeepaliveTests.swift", "idle"),
        KeyProof("limits.connections", "3", "Limits/ConnectionLimitTests.swift", "inAll"),
        KeyProof("limits.connectionsPerIP", "3", "Limits/ConnectionLimitTests.swift", "perAddress"),
        KeyProof("limits.connectionsPerUser", "1", "Limits/ConnectionLimitTests.swift", "perUser"),
        KeyProof("limits.handshakesPerSecond", "1", "Limits/ConnectionLimitTests.swift", "handshakes"),
        KeyProof("limits.messagesPerSecond", "10", "Limits/RateLimitTests.swift", "limit"),
        KeyProof("limits.bytesPerSecond", "1 KiB", "Limits/RateLimitTests.swift", "limit"),
        KeyProof("limits.burst", "1s", "Limits/RateLimitTests.swift", "limit"),
        KeyProof("limits.ratePolicy", "close", "Limits/RateLimitTests.swift", "limit"),
        KeyProof("limits.fragments", "3", "Limits/ConnectionLimitTests.swift", "fragments"),
        KeyProof("limits.closeInput", "64 KiB", "Clients/ClosingInputTests.swift", "afterClose"),
        KeyProof("limits.plainRequests", "3", "Clients/PlainRequestTests.swift", "limit"),
        KeyProof("limits.offers", "2", "Clients/PlainRequestTests.swift", "offers"),
        KeyProof("limits.memory", "1", "Limits/ConnectionLimitTests.swift", "memory"),
        KeyProof("timeouts.handshake", "50ms", "Clients/HandshakeTests.swift", "late"),
        KeyProof("timeouts.plain", "500ms", "Clients/PlainRequestTests.swift", "time"),
        KeyProof("timeouts.close", "50ms", "Clients/ClosingHandshakeTests.swift", "unanswered"),
        KeyProof("timeouts.write", "50ms", "Limits/DeadlineTests.swift", "writeStall"),
        KeyProof("timeouts.stop", "50ms", "CommandLine/ServeTests.swift", "stopWithoutReader"),
        KeyProof("drain.window", "1s", "Lifecycle/DrainingTests.swift", "spread"),
        KeyProof("drain.retry", "1s", "Lifecycle/DrainingTests.swift", "spread"),
        KeyProof("drain.handover", "1s", "Lifecycle/UpgradeTests.swift", "late"),
    ]
}

extension Configuration {
    /// Gives a key a value, as a flag does.
    mutating func set(_ path: String, _ text: String) throws {
        guard let key = Self.keys.first(where: { $0.path == path }) else { throw KeyProblem(text: "no key \(path)") }
        var findings: [Finding] = []
        let node = text.first == "{" ? YAMLReader.read(text).0 : key.split?(text)
        key.assign(node ?? .text(text), &self, &findings)
        if let finding = findings.first { throw KeyProblem(text: "\(path): \(finding)") }
    }
}

struct KeyProblem: Error {
    let text: String
}
