// The host functions of `server` and `log`.
//
// Runs on: the worker's thread, called from C while a script runs.

import LuaBridge

@c @implementation
func scriptHostPublish(
    _ host: UnsafeMutableRawPointer, _ channel: BridgeBytes, _ payload: BridgePayload,
    _ except: UnsafePointer<BridgeConnection>?, _ key: BridgeBytes,
    _ published: UnsafeMutablePointer<BridgePublished>
) -> BridgePublishResult {
    let passedBy = except.map { ConnectionHandle($0.pointee) }
    let result = HostLink.with(host) {
        $0.host.publish(
            channel: channel.buffer, payload.buffer, binary: payload.binary, except: passedBy,
            key: key.bytes == nil ? nil : String(decoding: key.buffer, as: UTF8.self))
    }
    switch result {
    case .published(let offset):
        published.pointee.offset = offset
        return .published
    case .invalidName:
        return .invalidName
    case .refused(var reason):
        reason.withUTF8 { bridgeTextSet(&published.pointee.why, $0.baseAddress, $0.count) }
        return .refused
    }
}

@c @implementation
func scriptHostSendTo(
    _ host: UnsafeMutableRawPointer, _ identifier: BridgeBytes, _ payload: BridgePayload
) -> Bool {
    HostLink.with(host) { $0.host.send(toID: identifier.buffer, payload.buffer, binary: payload.binary) }
}

@c @implementation
func scriptHostSendToUser(_ host: UnsafeMutableRawPointer, _ user: BridgeBytes, _ payload: BridgePayload) {
    HostLink.with(host) {
        $0.host.send(
            toUser: String(decoding: user.buffer, as: UTF8.self), payload.buffer, binary: payload.binary)
    }
}

@c @implementation
func scriptHostBroadcast(_ host: UnsafeMutableRawPointer, _ payload: BridgePayload) {
    HostLink.with(host) { $0.host.broadcast(payload.buffer, binary: payload.binary) }
}

@c @implementation
func scriptHostDisconnect(
    _ host: UnsafeMutableRawPointer, _ identifier: BridgeBytes, _ code: Int32, _ reason: BridgeBytes
) -> Bool {
    HostLink.with(host) {
        $0.host.disconnect(
            id: identifier.buffer, code: UInt16(truncatingIfNeeded: code), reason: reason.buffer)
    }
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
    HostLink.with(host) {
        $0.host.log(
            level: severity, message: message.buffer, fields: pairs(of: fields), script: String(cString: file),
            line: Int(line))
    }
}

private func pairs(of strings: OpaquePointer) -> [(name: String, value: String)] {
    var offset = 0
    func next() -> String? {
        var count = 0
        guard let bytes = bridgeStringsNext(strings, &offset, &count) else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
    var pairs: [(name: String, value: String)] = []
    while let name = next(), let value = next() {
        pairs.append((name, value))
    }
    return pairs
}
