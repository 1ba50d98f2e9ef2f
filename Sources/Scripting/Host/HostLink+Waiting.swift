// The host functions of waiting, and what the watchdog reports.
//
// Runs on: the worker's thread, called from C while a script runs or has just run; scriptHostStuck on the watchdog's.

import LuaBridge

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

@c @implementation
func scriptHostSlow(_ host: UnsafeMutableRawPointer, _ traceback: BridgeBytes) {
    HostLink.with(host) { $0.host.slow(traceback: String(decoding: traceback.buffer, as: UTF8.self)) }
}

@c @implementation
func scriptHostStuck(_ host: UnsafeMutableRawPointer, _ place: BridgeBytes, _ seconds: Double) {
    HostLink.with(host) { $0.stuck(String(decoding: place.buffer, as: UTF8.self), seconds) }
}
