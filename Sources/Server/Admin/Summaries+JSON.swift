// How the admin API writes what the workers told it.

import JSON
import WebSocket

extension ConnectionSummary {
    func write(to members: inout JSONOutput.Members) {
        members.add("id", id.text)
        members.add("user", user)
        members.add("path", path)
        members.add("remoteAddress", remoteAddress)
        members.add("subprotocol", subprotocol)
        members.add("compression", compression)
        members.add("certificate", certificate)
        members.add("script", script)
        members.add("openedAt", openedAt)
        members.add("messagesIn", messagesIn)
        members.add("messagesOut", messagesOut)
        members.add("bytesIn", bytesIn)
        members.add("bytesOut", bytesOut)
        members.add("queuedBytes", queuedBytes)
        members.addMilliseconds("roundTripMs", microseconds: roundTrip)
        members.add("channels", channels)
        members.add("state", state)
    }
}

extension PauseRecord {
    func write(to members: inout JSONOutput.Members) {
        members.add("count", count)
        members.add("p50Microseconds", UInt64(quantile(0.5)))
        members.add("p99Microseconds", UInt64(quantile(0.99)))
        members.add("maxMicroseconds", UInt64(longest))
        members.add("p99WorkMicroseconds", UInt64(workQuantile(0.99)))
        members.add("maxWorkMicroseconds", UInt64(workQuantile(1)))
    }
}

extension WorkerStatistics {
    func write(to members: inout JSONOutput.Members) {
        members.add("connections", connections)
        members.add("subscriptions", subscriptions)
        members.add("accepted", accepted)
        members.add("opened", opened)
        members.add("messagesIn", messagesIn)
        members.add("messagesOut", messagesOut)
        members.add("bytesIn", bytesIn)
        members.add("bytesOut", bytesOut)
        members.add("messagesDeflated", messagesDeflated)
        members.add("messagesInflated", messagesInflated)
        members.add("scriptErrors", scriptErrors)
        members.add("handlersWaiting", handlersWaiting)
        members.add("handlersSlow", handlersSlow)
        members.add("handlersKilled", handlersKilled)
        members.add("handlersTimedOut", handlersTimedOut)
        members.add("turnSlicesUsed", turnSlicesUsed)
        members.add("timersRefused", timersRefused)
        members.add("waitsRefused", waitsRefused)
        members.add("spawnsRefused", spawnsRefused)
        members.member("backlog") { counts in
            counts.add("connections", backlog.connections)
            counts.add("timers", backlog.timers)
            counts.add("spawned", backlog.spawned)
            counts.add("waits", backlog.waits)
            counts.add("questions", backlog.questions)
            counts.add("ageMilliseconds", backlog.age)
        }
        members.add("deliveriesDropped", deliveriesDropped)
        members.add("deliveriesDisplaced", deliveriesDisplaced)
        members.add("messagesRefused", messagesRefused)
        members.add("refusedForDescriptors", refusedForDescriptors)
        members.add("refusedForConnections", refusedForConnections)
        members.add("refusedForAddress", refusedForAddress)
        members.add("refusedForRate", refusedForRate)
        members.add("refusedForMemory", refusedForMemory)
        members.add("handshakesRefused", handshakesRefused)
        members.add("originsRefused", originsRefused)
        members.add("plainLimited", plainLimited)
        members.add("readsDelayed", readsDelayed)
        members.add("pingsSent", pingsSent)
        members.add("tlsHandshakes", tlsHandshakes)
        members.add("tlsResumptions", tlsResumptions)
        members.add("tlsHandshakesFailed", tlsHandshakesFailed)
        members.add("tlsRenegotiations", tlsRenegotiations)
        members.add("closeInputCut", closeInputCut)
        members.add("luaMemoryBytes", luaMemory)
        members.member("reloadPause") { reloadPauses.write(to: &$0) }
        members.member("migrationPause") { migrationPauses.write(to: &$0) }
        members.add("httpRequests", httpRequests)
        members.add("httpFailed", httpFailed)
        members.add("httpTimedOut", httpTimedOut)
        members.add("httpRefused", httpRefused)
        members.add("httpRunning", httpRunning)
        members.add("httpWaiting", httpWaiting)
        members.add("httpLookups", httpLookups)
        members.member("closes") { counts in
            for reason in CloseReason.allCases where Int(reason.rawValue) < closes.count {
                counts.add(reason.counter, closes[Int(reason.rawValue)])
            }
        }
    }
}
