// A worker's counters in one table: a field, and a row with its names, its kind and its meaning. A counter is added here and at
// the place that counts it; `GET /v1/node`, `/metrics` and the documentation have it then.
//
// Runs on: the worker's thread counts; others get copies.
// Read next: Counter.swift, ../Worker/WorkerMeasurements.swift.

import WebSocket

/// One worker's counters since start, and its gauges now.
package struct WorkerStatistics: Sendable {
    package var connections = 0
    var subscriptions = 0
    /// Sockets that were accepted, and the WebSockets that became of them.
    var accepted: UInt64 = 0
    var opened: UInt64 = 0
    var messagesIn: UInt64 = 0
    var messagesOut: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    var scriptErrors: UInt64 = 0
    /// Handlers that were killed for the CPU time they used, and those reported for it.
    var handlersKilled: UInt64 = 0
    var handlersSlow: UInt64 = 0
    /// Handlers that had waited for as long as they may.
    var handlersTimedOut: UInt64 = 0
    /// Handlers that wait now.
    var handlersWaiting = 0
    /// The work that was left over because scripts had used up their slice of a turn, and the number of such turns.
    var backlog = BacklogCounts()
    var turnSlicesUsed: UInt64 = 0
    /// Timers, waits and spawned functions that were refused because their number had reached the limit.
    var timersRefused: UInt64 = 0
    var waitsRefused: UInt64 = 0
    var spawnsRefused: UInt64 = 0
    var deliveriesDropped: UInt64 = 0
    /// Publications that gave way to newer ones while they waited for a slow client.
    var deliveriesDisplaced: UInt64 = 0
    /// Messages for one client that its full queue did not take.
    var messagesRefused: UInt64 = 0
    /// Connections refused because the process had no descriptor for them.
    var refusedForDescriptors: UInt64 = 0
    /// Connections refused before their handshake: too many in all, too many a second, too little memory.
    var refusedForConnections: UInt64 = 0
    var refusedForRate: UInt64 = 0
    var refusedForMemory: UInt64 = 0
    /// Handshakes answered 429 because their address has as many connections as it may.
    var refusedForAddress: UInt64 = 0
    /// Connections that were ended after a plain request for a limit: of their number, their time, or their address.
    var plainLimited: UInt64 = 0
    /// How often reading from a client was interrupted because it sent more than its rate.
    var readsDelayed: UInt64 = 0
    var pingsSent: UInt64 = 0
    /// Messages compressed, each once however many clients got it.
    var messagesDeflated: UInt64 = 0
    /// Compressed messages of clients.
    var messagesInflated: UInt64 = 0
    /// HTTP errors and refused handshakes on the clients' port.
    var handshakesRefused: UInt64 = 0
    /// Those of them that came from pages of an origin that may not connect.
    var originsRefused: UInt64 = 0
    /// TLS handshakes of clients that were completed, and those among them that continued a session.
    var tlsHandshakes: UInt64 = 0
    var tlsResumptions: UInt64 = 0
    /// TLS handshakes that failed through the client.
    var tlsHandshakesFailed: UInt64 = 0
    /// TLS connections ended because the client asked for a new handshake.
    var tlsRenegotiations: UInt64 = 0
    /// Connections that went on sending after their end was decided, and were not read any further.
    var closeInputCut: UInt64 = 0
    /// How often each `CloseReason` ended a connection, by its raw value.
    var closes = [UInt64](repeating: 0, count: CloseReason.allCases.count)
    var luaMemory = 0
    /// How long reloads have held up the worker: from one event to the next, other work of the machine included. Migrations of
    /// states, from which a worker stands still until all have voted, are counted apart.
    var reloadPauses = PauseRecord()
    var migrationPauses = PauseRecord()
    /// Scripts' requests to other servers: all, those without a response, those refused, and those at this moment.
    var httpRequests: UInt64 = 0
    var httpFailed: UInt64 = 0
    var httpTimedOut: UInt64 = 0
    var httpRefused: UInt64 = 0
    var httpRunning = 0
    var httpWaiting = 0
    var httpLookups = 0
    /// Values that scripts measured beyond the limit of series.
    var metricValuesRefused: UInt64 = 0

    package init() {}

    /// Sums up the counters of several workers.
    package static func += (left: inout WorkerStatistics, right: WorkerStatistics) {
        for counter in counters { counter.add(&left, right) }
        for record in pauses { left[keyPath: record.path] += right[keyPath: record.path] }
    }
}

// MARK: The table

extension WorkerStatistics {
    /// Every counter, those of one metric beside each other.
    package static let counters = connectionCounters + trafficCounters + scriptCounters + requestCounters

    /// The records of pauses, by their names in `GET /v1/node`.
    package static let pauses: [(json: String, path: any WritableKeyPath<WorkerStatistics, PauseRecord> & Sendable)] = [
        ("reloadPause", \.reloadPauses), ("migrationPause", \.migrationPauses),
    ]

    private static let connectionCounters: [Counter<WorkerStatistics>] =
        [
            Counter("connections", "perigee_connections", .gauge, "Open connections.", \.connections),
            Counter(
                "accepted", "perigee_sockets_accepted_total", .counter, "Sockets accepted on the clients' port.",
                \.accepted),
            Counter("opened", "perigee_connections_opened_total", .counter, "Connections that were opened.", \.opened),
        ]
        + Counter.family(
            "perigee_connections_closed_total", .counter, "Connections that the server ended, by reason.", by: "reason",
            CloseReason.allCases.map { reason in
                (reason.counter, "closes.\(reason.counter)", \WorkerStatistics.closes[Int(reason.rawValue)])
            })
        + Counter.family(
            "perigee_connections_refused_total", .counter, "Connections refused, by the limit.",
            by: "reason",
            [
                ("address", "refusedForAddress", \.refusedForAddress),
                ("connections", "refusedForConnections", \.refusedForConnections),
                ("descriptors", "refusedForDescriptors", \.refusedForDescriptors),
                ("memory", "refusedForMemory", \.refusedForMemory),
                ("rate", "refusedForRate", \.refusedForRate),
            ])
        + [
            Counter(
                "handshakesRefused", "perigee_handshakes_refused_total", .counter,
                "HTTP errors and refused handshakes on the clients' port.", \.handshakesRefused),
            Counter(
                "plainLimited", "perigee_plain_limited_total", .counter,
                "Connections ended after plain requests for a limit.", \.plainLimited),
            Counter(
                "originsRefused", "perigee_origins_refused_total", .counter, "Handshakes from other origins.",
                \.originsRefused),
            Counter(
                "tlsHandshakes", "perigee_tls_handshakes_total", .counter, "TLS handshakes that were completed.",
                \.tlsHandshakes),
            Counter(
                "tlsResumptions", "perigee_tls_resumptions_total", .counter, "TLS sessions that were continued.",
                \.tlsResumptions),
            Counter(
                "tlsHandshakesFailed", "perigee_tls_handshakes_failed_total", .counter, "TLS handshakes that failed.",
                \.tlsHandshakesFailed),
            Counter(
                "tlsRenegotiations", "perigee_tls_renegotiations_total", .counter,
                "TLS connections ended for asking to renegotiate.", \.tlsRenegotiations),
            Counter(
                "closeInputCut", "perigee_close_input_cut_total", .counter,
                "Closing connections that sent more than is read.", \.closeInputCut),
        ]

    private static let trafficCounters: [Counter<WorkerStatistics>] = [
        Counter("subscriptions", "perigee_subscriptions", .gauge, "Subscriptions to channels.", \.subscriptions),
        Counter("messagesIn", "perigee_messages_received_total", .counter, "Messages from clients.", \.messagesIn),
        Counter("messagesOut", "perigee_messages_sent_total", .counter, "Messages to clients.", \.messagesOut),
        Counter("bytesIn", "perigee_bytes_received_total", .counter, "Bytes of messages from clients.", \.bytesIn),
        Counter("bytesOut", "perigee_bytes_sent_total", .counter, "Bytes of messages to clients.", \.bytesOut),
        Counter(
            "messagesDeflated", "perigee_messages_deflated_total", .counter,
            "Messages that were compressed, each once for all its clients.", \.messagesDeflated),
        Counter(
            "messagesInflated", "perigee_messages_inflated_total", .counter, "Messages that came compressed.",
            \.messagesInflated),
        Counter(
            "deliveriesDropped", "perigee_deliveries_dropped_total", .counter, "Publications lost to slow clients.",
            \.deliveriesDropped),
        Counter(
            "deliveriesDisplaced", "perigee_deliveries_displaced_total", .counter,
            "Publications that newer ones replaced.", \.deliveriesDisplaced),
        Counter(
            "messagesRefused", "perigee_messages_refused_total", .counter, "Messages for a client with a full queue.",
            \.messagesRefused),
        Counter(
            "readsDelayed", "perigee_reads_delayed_total", .counter, "Reads held back by a rate limit.", \.readsDelayed),
        Counter("pingsSent", "perigee_pings_sent_total", .counter, "Pings sent.", \.pingsSent),
    ]

    private static let scriptCounters: [Counter<WorkerStatistics>] =
        [
            Counter(
                "scriptErrors", "perigee_script_failures_total", .counter, "Errors of scripts, timers included.",
                \.scriptErrors),
            Counter(
                "handlersKilled", "perigee_handlers_killed_total", .counter, "Handlers that used up their CPU.",
                \.handlersKilled),
            Counter(
                "handlersSlow", "perigee_handlers_slow_total", .counter, "Handlers over scripts.warning.",
                \.handlersSlow),
            Counter(
                "handlersTimedOut", "perigee_handlers_timed_out_total", .counter, "Handlers that waited too long.",
                \.handlersTimedOut),
            Counter("handlersWaiting", "perigee_handlers_waiting", .gauge, "Handlers that wait.", \.handlersWaiting),
            Counter(
                "turnSlicesUsed", "perigee_turn_slices_used_total", .counter, "Turns whose slice scripts used up.",
                \.turnSlicesUsed),
        ]
        + Counter.family(
            "perigee_backlog_events", .gauge, "Work of scripts that waits for its turn, by its source.", by: "source",
            [
                ("connections", "backlog.connections", \.backlog.connections),
                ("questions", "backlog.questions", \.backlog.questions),
                ("spawned", "backlog.spawned", \.backlog.spawned),
                ("timers", "backlog.timers", \.backlog.timers),
                ("waits", "backlog.waits", \.backlog.waits),
            ])
        + [
            Counter(
                "backlog.ageMilliseconds", "perigee_backlog_age_seconds", .gauge,
                "How long a source has had work left over, the longest of all.", \.backlog.age, sum: .largest,
                perUnit: 1_000)
        ]
        + Counter.family(
            "perigee_script_work_refused_total", .counter, "Work that scripts asked for beyond a limit, by kind.",
            by: "kind",
            [
                ("spawn", "spawnsRefused", \.spawnsRefused), ("timer", "timersRefused", \.timersRefused),
                ("wait", "waitsRefused", \.waitsRefused),
            ])
        + [
            Counter("luaMemoryBytes", "perigee_lua_memory_bytes", .gauge, "Memory of all Lua states.", \.luaMemory),
            Counter(
                "metricValuesRefused", "perigee_metric_values_refused_total", .counter,
                "Values of scripts that found too many series.", \.metricValuesRefused),
        ]

    private static let requestCounters: [Counter<WorkerStatistics>] =
        [
            Counter(
                "httpRequests", "perigee_http_requests_total", .counter, "Requests of scripts to other servers.",
                \.httpRequests)
        ]
        + Counter.family(
            "perigee_http_failures_total", .counter, "Requests of scripts that have no response, by reason.",
            by: "reason",
            [
                ("failed", "httpFailed", \.httpFailed), ("refused", "httpRefused", \.httpRefused),
                ("timeout", "httpTimedOut", \.httpTimedOut),
            ])
        + [
            Counter(
                "httpRunning", "perigee_http_requests_running", .gauge, "Requests of scripts under way.", \.httpRunning),
            Counter(
                "httpWaiting", "perigee_http_requests_waiting", .gauge,
                "Requests of scripts that wait for others to end.", \.httpWaiting),
            Counter(
                "httpLookups", "perigee_http_lookups_running", .gauge, "Host names that are being looked up.",
                \.httpLookups),
        ]
}

/// The work that waits for its turn, as the admin API shows it.
struct BacklogCounts: Sendable {
    /// Connections whose input, events or end wait.
    var connections = 0
    var timers = 0
    /// Functions of `server.spawn`, those that the present ones have spawned included.
    var spawned = 0
    /// Handlers that have waited and could go on.
    var waits = 0
    /// Pushes and calls of backends.
    var questions = 0
    /// How long a source has had work left over without a break, the longest of all, in milliseconds.
    var age: UInt64 = 0

    var total: Int { connections + timers + spawned + waits + questions }
}
