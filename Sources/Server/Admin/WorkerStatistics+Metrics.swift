// How /metrics shows the counters of the workers.

import WebSocket

extension WorkerStatistics {
    func write(to page: inout MetricsText) {
        writeConnections(to: &page)
        writeTraffic(to: &page)
        writeRequests(to: &page)
        page.add("perigee_script_failures_total", .counter, "Errors of scripts, timers included.", scriptErrors)
        page.add("perigee_handlers_killed_total", .counter, "Handlers that used up their CPU.", handlersKilled)
        page.add("perigee_handlers_slow_total", .counter, "Handlers over scripts.warning.", handlersSlow)
        page.add("perigee_handlers_timed_out_total", .counter, "Handlers that waited too long.", handlersTimedOut)
        page.add("perigee_handlers_waiting", .gauge, "Handlers that wait.", handlersWaiting)
        writeTurns(to: &page)
        page.add("perigee_lua_memory_bytes", .gauge, "Memory of all Lua states.", luaMemory)
    }

    private func writeTurns(to page: inout MetricsText) {
        page.add("perigee_turn_slices_used_total", .counter, "Turns whose slice scripts used up.", turnSlicesUsed)
        page.family("perigee_backlog_events", .gauge, "Work of scripts that waits for its turn, by its source.")
        let sources = [
            ("connections", backlog.connections), ("questions", backlog.questions), ("spawned", backlog.spawned),
            ("timers", backlog.timers), ("waits", backlog.waits),
        ]
        for (source, count) in sources {
            page.sample("perigee_backlog_events", labels: "source=\"\(source)\"", Double(count))
        }
        page.add(
            "perigee_backlog_age_seconds", .gauge, "How long a source has had work left over, the longest of all.",
            Double(backlog.age) / 1_000)
        page.family("perigee_script_work_refused_total", .counter, "What scripts asked for beyond a limit, by kind.")
        for (kind, count) in [("spawn", spawnsRefused), ("timer", timersRefused), ("wait", waitsRefused)] {
            page.sample("perigee_script_work_refused_total", labels: "kind=\"\(kind)\"", Double(count))
        }
    }

    private func writeConnections(to page: inout MetricsText) {
        page.add("perigee_connections", .gauge, "Open connections.", connections)
        page.add("perigee_sockets_accepted_total", .counter, "Sockets accepted on the clients' port.", accepted)
        page.add("perigee_connections_opened_total", .counter, "Connections that were opened.", opened)
        page.family("perigee_connections_closed_total", .counter, "Connections that the server ended, by reason.")
        for reason in CloseReason.allCases where Int(reason.rawValue) < closes.count {
            page.sample(
                "perigee_connections_closed_total", labels: "reason=\"\(MetricsText.escaped(reason.counter))\"",
                Double(closes[Int(reason.rawValue)]))
        }
        let refused = [
            ("address", refusedForAddress), ("connections", refusedForConnections),
            ("descriptors", refusedForDescriptors), ("memory", refusedForMemory), ("rate", refusedForRate),
        ]
        page.family("perigee_connections_refused_total", .counter, "Connections turned away, by what was exhausted.")
        for (reason, count) in refused {
            page.sample("perigee_connections_refused_total", labels: "reason=\"\(reason)\"", Double(count))
        }
        page.add("perigee_handshakes_refused_total", .counter, "HTTP errors on the clients' port.", handshakesRefused)
        page.add(
            "perigee_plain_limited_total", .counter, "Connections ended after plain requests for a limit.", plainLimited
        )
        page.add("perigee_origins_refused_total", .counter, "Handshakes from other origins.", originsRefused)
        page.add("perigee_tls_handshakes_total", .counter, "TLS handshakes that were completed.", tlsHandshakes)
        page.add("perigee_tls_resumptions_total", .counter, "TLS sessions that were continued.", tlsResumptions)
        page.add("perigee_tls_handshakes_failed_total", .counter, "TLS handshakes that failed.", tlsHandshakesFailed)
        page.add(
            "perigee_tls_renegotiations_total", .counter, "TLS connections ended for asking to renegotiate.",
            tlsRenegotiations)
        page.add(
            "perigee_close_input_cut_total", .counter, "Closing connections that sent more than is read.", closeInputCut
        )
    }

    private func writeRequests(to page: inout MetricsText) {
        page.add("perigee_http_requests_total", .counter, "Requests of scripts to other servers.", httpRequests)
        page.family("perigee_http_failures_total", .counter, "Requests of scripts that have no response, by reason.")
        for (reason, count) in [("failed", httpFailed), ("refused", httpRefused), ("timeout", httpTimedOut)] {
            page.sample("perigee_http_failures_total", labels: "reason=\"\(reason)\"", Double(count))
        }
        page.add("perigee_http_requests_running", .gauge, "Requests of scripts under way.", httpRunning)
        page.add(
            "perigee_http_requests_waiting", .gauge, "Requests of scripts that wait for others to end.", httpWaiting)
        page.add("perigee_http_lookups_running", .gauge, "Host names that are being looked up.", httpLookups)
    }

    private func writeTraffic(to page: inout MetricsText) {
        page.add("perigee_subscriptions", .gauge, "Subscriptions to channels.", subscriptions)
        page.add("perigee_messages_received_total", .counter, "Messages from clients.", messagesIn)
        page.add("perigee_messages_sent_total", .counter, "Messages to clients.", messagesOut)
        page.add("perigee_bytes_received_total", .counter, "Bytes of messages from clients.", bytesIn)
        page.add("perigee_bytes_sent_total", .counter, "Bytes of messages to clients.", bytesOut)
        page.add("perigee_messages_deflated_total", .counter, "Messages that were compressed.", messagesDeflated)
        page.add("perigee_messages_inflated_total", .counter, "Messages that came compressed.", messagesInflated)
        page.add("perigee_deliveries_dropped_total", .counter, "Publications lost to slow clients.", deliveriesDropped)
        page.add(
            "perigee_deliveries_displaced_total", .counter, "Publications that newer ones replaced.",
            deliveriesDisplaced)
        page.add(
            "perigee_messages_refused_total", .counter, "Messages for a client with a full queue.", messagesRefused)
        page.add("perigee_reads_delayed_total", .counter, "Reads held back by a rate limit.", readsDelayed)
        page.add("perigee_pings_sent_total", .counter, "Pings sent.", pingsSent)
    }
}
