// The requests of `server` about functions that run later: their protocol, the answers of a host that does nothing, and
// the calls from C, which ScriptHost.h declares.
//
// Runs on: the worker's thread, called from C while a script runs. Read next: TimerTable.swift.

import LuaBridge

/// The functions of `server` that run later: timers, waits and spawned functions.
public protocol TimerHost: AnyObject {
    /// Arranges for ``ScriptEngine/fireTimer(_:)`` in `seconds`, and then every `period` seconds if there is one. A
    /// timer with this number that is armed already is replaced.
    func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?)

    /// Cancels a timer; does nothing if it has fired or does not exist.
    func cancelTimer(id: Int32)

    /// Begins a wait of `server.sleep`. Answer the ticket with ``ScriptEngine/resume(_:with:)`` when the time is over,
    /// but not from within this call.
    func sleep(_ ticket: WaitTicket, seconds: Double)

    /// Spawned functions wait: call ``ScriptEngine/runSpawned()`` or ``ScriptEngine/runNextSpawned()`` soon, but not
    /// from within this call.
    func spawned()
}

extension SilentHost {
    public func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?) {}
    public func cancelTimer(id: Int32) {}
    public func sleep(_ ticket: WaitTicket, seconds: Double) {}
    public func spawned() {}
}

@c @implementation
func scriptHostStartTimer(
    _ host: UnsafeMutableRawPointer, _ function: Int32, _ timer: BridgeTimer,
    _ started: UnsafeMutablePointer<BridgeStartedTimer>
) -> BridgeTimerResult {
    let name = timer.name.map {
        String(decoding: UnsafeRawBufferPointer(start: $0, count: timer.nameCount), as: UTF8.self)
    }
    let schedule: TimerTable.Schedule
    do throws(CronError) {
        schedule = try TimerTable.Schedule(timer)
    } catch {
        var reason = error.message
        reason.withUTF8 { bridgeTextSet(&started.pointee.why, $0.baseAddress, $0.count) }
        return .invalid
    }
    return HostLink.with(host) { link in
        let wanted = TimerTable.Request(function: function, schedule: schedule, name: name)
        if link.isPreparing {
            return link.timers.declare(wanted)
        }
        return link.timers.start(wanted, on: link.host, &started.pointee)
    }
}

extension TimerTable.Schedule {
    fileprivate init(_ timer: BridgeTimer) throws(CronError) {
        if timer.cron.bytes != nil {
            self = .cron(try CronSchedule(String(decoding: timer.cron.buffer, as: UTF8.self)))
        } else {
            self = timer.period > 0 ? .every(timer.period) : .once(after: timer.after)
        }
    }
}

@c @implementation
func scriptHostCancelTimer(_ host: UnsafeMutableRawPointer, _ timer: Int64, _ name: BridgeBytes) -> Int32 {
    HostLink.with(host) { link in
        let number =
            name.bytes == nil
            ? Int32(exactly: timer)
            : link.timers.number(named: String(decoding: name.buffer, as: UTF8.self))
        guard let number, let function = link.timers.remove(number) else { return 0 }
        link.host.cancelTimer(id: number)
        return function
    }
}

@c @implementation
func scriptHostSleep(_ host: UnsafeMutableRawPointer, _ ticket: BridgeTicket, _ seconds: Double) {
    HostLink.with(host) { $0.host.sleep(WaitTicket(ticket), seconds: seconds) }
}

@c @implementation
func scriptHostSpawn(_ host: UnsafeMutableRawPointer, _ function: Int32) -> Bool {
    HostLink.with(host) { link in
        guard link.spawned.append(function) else { return false }
        if link.spawned.count == 1 { link.host.spawned() }
        return true
    }
}
