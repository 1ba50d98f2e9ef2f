// The counters and gauges of the node that no worker has, and their table.
//
// Read next: Gateway/Statistics/Counter.swift, CounterOutput.swift.

import Gateway
import PubSub
import Scripting

/// The node at one moment.
struct NodeFigures: Sendable {
    /// Seconds since 1970.
    var startedAt: Int
    var isDraining: Bool
    var workers: Int
    var silentWorkers: Int
    var memoryBytes: Int
    var memoryIsTight: Bool
    var channels: Int
    var history: HistoryFigures
    var kvBytes: Int
    var kvKeys: Int
    var scriptVersion: UInt64
    var handlersStuck: UInt64
    var logEntriesDropped: UInt64
    var adminAccepted: UInt64
    var adminConnections: Int
    var adminRequestsTimedOut: UInt64
    var batchItems: UInt64
    var batchStreams: Int
    var idempotencyKeys: Int
    var idempotencyBytes: Int
    var idempotencyRepeats: UInt64
    var idempotencyForgotten: UInt64

    static let counters: [Counter<NodeFigures>] = [
        Counter("startedAt", "perigee_start_time_seconds", .gauge, "Seconds since 1970 at start.", \.startedAt),
        Counter("draining", "perigee_draining", "1 while the server drains.", flag: \.isDraining),
        Counter("workers", "perigee_workers", .gauge, "Worker threads.", \.workers),
        Counter(
            "workersSilent", "perigee_workers_silent", .gauge, "Workers that did not answer within a second.",
            \.silentWorkers),
        Counter("memoryBytes", "perigee_memory_bytes", .gauge, "Resident memory of the process.", \.memoryBytes),
        Counter(
            "memoryIsTight", "perigee_memory_tight", "1 while new connections are refused for want of memory.",
            flag: \.memoryIsTight),
        Counter("channels", "perigee_channels", .gauge, "Channels with a subscriber.", \.channels),
        Counter(
            "historyBytes", "perigee_history_bytes", .gauge, "Bytes that channels keep in memory.", \.history.bytes),
        Counter(
            "historyChannels", "perigee_history_channels", .gauge, "Channels with a position.", \.history.channels),
        Counter(
            "historyEvicted", "perigee_history_evicted_total", .counter,
            "Publications that gave way to history.memory before their size or age.", \.history.publicationsEvicted),
        Counter(
            "positionsEvicted", "perigee_history_positions_evicted_total", .counter,
            "Positions of channels that gave way to history.memory before their age.", \.history.positionsEvicted),
        Counter("kvBytes", "perigee_kv_bytes", .gauge, "Bytes that kv holds.", \.kvBytes),
        Counter("kvKeys", "perigee_kv_keys", .gauge, "Keys that kv holds.", \.kvKeys),
        Counter(
            "scriptVersion", "perigee_script_version", .gauge, "The version of the scripts that is live.",
            \.scriptVersion),
        Counter(
            "handlersStuck", "perigee_handlers_stuck_total", .counter,
            "Handlers that did not end although they were killed.", \.handlersStuck),
        Counter(
            "logEntriesDropped", "perigee_log_entries_dropped_total", .counter,
            "Log entries that found the queue full, or could not be written.", \.logEntriesDropped),
        Counter(
            "adminAccepted", "perigee_admin_sockets_accepted_total", .counter, "Sockets accepted for the admin API.",
            \.adminAccepted),
        Counter(
            "adminConnections", "perigee_admin_connections", .gauge, "Open connections to the admin API.",
            \.adminConnections),
        Counter(
            "adminRequestsTimedOut", "perigee_admin_requests_timed_out_total", .counter,
            "Requests to the admin API answered 408.", \.adminRequestsTimedOut),
        Counter(
            "batchItems", "perigee_batch_items_total", .counter, "Items of batches that were taken.", \.batchItems),
        Counter(
            "batchStreams", "perigee_batch_streams", .gauge, "Batches of lines that are open.", \.batchStreams),
        Counter(
            "idempotencyKeys", "perigee_idempotency_keys", .gauge,
            "Idempotency keys that are kept, at most 100,000.", \.idempotencyKeys),
        Counter(
            "idempotencyBytes", "perigee_idempotency_bytes", .gauge,
            "Bytes of idempotency keys and their answers, at most 64 MiB.", \.idempotencyBytes),
        Counter(
            "idempotencyRepeats", "perigee_idempotency_repeats_total", .counter,
            "Pushes that were repeats of an earlier one with the same key.", \.idempotencyRepeats),
        Counter(
            "idempotencyForgotten", "perigee_idempotency_forgotten_total", .counter,
            "Idempotency keys that were forgotten before their five minutes, for want of room.", \.idempotencyForgotten),
    ]
}

extension NodeFigures {
    init(of server: AdminServer, silent: Int) {
        let node = server.node
        self.init(
            startedAt: node.startedAt, isDraining: server.isDraining, workers: node.workers.count,
            silentWorkers: silent,
            memoryBytes: server.memory.residentBytes, memoryIsTight: node.limits.memoryIsTight,
            channels: node.fanout.channelCount, history: node.broker.figures, kvBytes: node.store.bytesInUse,
            kvKeys: node.store.count,
            scriptVersion: node.liveVersion, handlersStuck: node.stuckHandlers.total,
            logEntriesDropped: node.logEntriesDropped, adminAccepted: server.acceptedCount,
            adminConnections: server.openCount, adminRequestsTimedOut: server.requestsTimedOutCount,
            batchItems: server.batches.items, batchStreams: server.batches.openCount,
            idempotencyKeys: server.idempotency.count, idempotencyBytes: server.idempotency.bytes,
            idempotencyRepeats: server.idempotency.repeats, idempotencyForgotten: server.idempotency.forgotten)
    }
}
