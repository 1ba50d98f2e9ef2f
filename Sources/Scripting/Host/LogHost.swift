// The requests of `log` to the host, and the reports of the watchdog: their protocol, the answers of a host that does
// nothing, and the calls from C, which ScriptHost.h declares.
//
// Runs on: the worker's thread, called from C while a script runs or has just run; scriptHostStuck on the watchdog's.
// Allocates: the fields of an entry.

import LuaBridge

/// The functions of `log`, and the watchdog's reports.
public protocol LogHost: AnyObject {
    /// A handler took more CPU than its warning allows; called when it has ended. The first line of the traceback is
    /// the place where it was at that time.
    func slow(traceback: String)

    /// Writes to the server's log. `script` is the calling file, as "chat.lua", with its line; empty and 0 if it is not
    /// known.
    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int)
}

/// The level of `log.debug`, `log.info`, `log.warn` and `log.error`; `print` is `info`.
public enum ScriptLogLevel: Sendable {
    case debug
    case info
    case warning
    case error
}

extension SilentHost {
    public func slow(traceback: String) {}
    public func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int
    ) {}
}

@c @implementation
func scriptHostLog(
    _ host: UnsafeMutableRawPointer, _ level: BridgeLogLevel, _ message: BridgeBytes, _ fields: OpaquePointer,
    _ file: UnsafePointer<CChar>, _ line: Int32
) {
    let severity: ScriptLogLevel =
        switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    var reader = StringsReader(fields)
    let pairs = reader.pairs(atMost: .max)
    HostLink.with(host) {
        $0.host.log(
            level: severity, message: message.buffer, fields: pairs, script: String(cString: file), line: Int(line))
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
