// The host functions of `server`, `log`, `http` and test files, and the reports of the watchdog.
//
// Runs on: the worker's thread, called from C while a script runs or has just run; scriptHostStuck on the watchdog's.
// Allocates: for each request and response.

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
        published.pointee.offset = offset ?? 0
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

@c @implementation
func scriptHostRequest(
    _ host: UnsafeMutableRawPointer, _ ticket: BridgeTicket, _ request: UnsafePointer<BridgeRequestHTTP>,
    _ why: UnsafeMutablePointer<BridgeText>
) -> Bool {
    HostLink.with(host) { link in
        guard var mistake = link.host.request(WaitTicket(ticket), ScriptRequest(request.pointee)) else { return true }
        mistake.withUTF8 { bridgeTextSet(why, $0.baseAddress, $0.count) }
        return false
    }
}

@c @implementation
func scriptHostResponse(_ host: UnsafeMutableRawPointer, _ answer: OpaquePointer) -> Int32 {
    HostLink.with(host) { link in
        var answer = ScriptStrings(answer)
        switch link.answer {
        case .response(let response):
            answer.append(response.body)
            for field in response.headers { answer.append(name: field.name, value: field.value) }
            return Int32(clamping: response.status)
        case .requestFailed(_, let detail):
            answer.append(detail)
            return 0
        case .done, .failed:
            return 0
        }
    }
}

/// A host of test files, which answers the commands of their table `t`.
package protocol ScriptTestHost: ScriptHost {
    /// Runs the command that the first string names, with the other strings as arguments. False if the answer is one
    /// string with an error.
    func perform(_ strings: [[UInt8]], into answer: inout ScriptStrings) -> Bool
}

@c @implementation
func scriptHostTest(_ host: UnsafeMutableRawPointer, _ arguments: OpaquePointer, _ answer: OpaquePointer) -> Bool {
    var strings: [[UInt8]] = []
    var offset = 0
    var count = 0
    while let bytes = bridgeStringsNext(arguments, &offset, &count) {
        strings.append(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    }
    return HostLink.with(host) { link in
        guard let tests = link.host as? any ScriptTestHost else { return false }
        var list = ScriptStrings(answer)
        return tests.perform(strings, into: &list)
    }
}
