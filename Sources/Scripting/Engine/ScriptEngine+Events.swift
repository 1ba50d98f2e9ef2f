// The events of connections, scripts and timers, and the questions that others ask of a script. Each enters Lua once,
// protected; every failure there comes back as a value.
//
// Allocates: nothing in Swift when a handler returns.
// Read next: LuaBridge/Events/event.c, LuaBridge/Events/questions.c, ScriptEngine+Waiting.swift.

import LuaBridge

extension ScriptEngine {
    /// Asks the script whether a connection may come into being. A table that it returns becomes `conn.data`.
    public func onUpgrade(
        _ id: ScriptID, _ connection: ConnectionHandle, request: UpgradeRequest
    ) -> UpgradeOutcome {
        guard defines(.upgrade, id) else { return .accept(subprotocol: nil) }
        activity.begin(.upgrade, id)
        let cookies = request.cookies
        let strings = bridgeRequestStrings(bridge)
        request.fill(ScriptStrings(strings), cookies)
        var bridged = BridgeRequest(
            strings: strings, queryCount: Int32(request.query.count), headerCount: Int32(request.headers.count),
            cookieCount: Int32(cookies.count), subprotocolCount: Int32(request.subprotocols.count),
            hasCertificate: request.certificate != nil)
        let outcome = bridgeOnUpgrade(bridge, target(id), connection.bridged, &bridged)
        counts[countIndex(.upgrade, id)].calls &+= 1
        if outcome == .waiting {
            return .waiting(suspend(.handler(.upgrade, id), connection, offered: request.subprotocols))
        }
        return decide(outcome, request.subprotocols, id, origin(id))
    }

    /// The decision of an onUpgrade that has ended.
    func decide(
        _ outcome: BridgeOutcome, _ offered: [String], _ id: ScriptID, _ origin: EventOrigin
    ) -> UpgradeOutcome {
        let result = bridgeResult(bridge).pointee
        defer { bridgeResultRead(bridge) }
        switch outcome {
        case .done, .absent, .waiting:
            return accept(result, offered: offered, id, origin)
        case .refused:
            return .refuse(status: Int(result.code), body: result.textString)
        case .closeRequested:
            let isStatus = (400...599).contains(result.code)
            return .refuse(status: isStatus ? Int(result.code) : 403, body: result.textString)
        case .failed:
            counts[countIndex(.upgrade, id)].errors &+= 1
            return .failed(error(origin, during: ScriptHandler.upgrade.name))
        }
    }

    /// A connection is open.
    public func onOpen(_ id: ScriptID, _ connection: ConnectionHandle) -> EventOutcome {
        activity.begin(.open, id)
        return finish(bridgeOnOpen(bridge, target(id), connection.bridged), .open, id, connection)
    }

    /// The queue of a client that was slow to read is empty again.
    public func onDrain(_ id: ScriptID, _ connection: ConnectionHandle) -> EventOutcome {
        activity.begin(.drain, id)
        return finish(bridgeOnDrain(bridge, target(id), connection.bridged), .drain, id, connection)
    }

    /// A message has arrived; its text is valid UTF-8.
    public func onMessage(
        _ id: ScriptID, _ connection: ConnectionHandle, _ bytes: UnsafeRawBufferPointer, binary: Bool
    ) -> EventOutcome {
        activity.begin(.message, id)
        return finish(
            bridgeOnMessage(bridge, target(id), connection.bridged, bytes.baseAddress, bytes.count, binary),
            .message, id, connection)
    }

    /// A connection is closed; call ``forget(_:)`` afterwards. The caller must call this exactly once.
    public func onClose(
        _ id: ScriptID, _ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer
    ) -> EventOutcome {
        activity.begin(.close, id)
        return finish(
            bridgeOnClose(
                bridge, target(id), connection.bridged, Int32(code), reason.baseAddress, reason.count),
            .close, id, connection)
    }

    /// Runs every script's `onStop`. Handlers that wait then are never resumed.
    public func stop() -> [ScriptError] {
        (live?.scripts ?? []).compactMap { runLife(.stop, of: intern($0.name), previousVersion: 0) }
    }

    /// Runs the function of a timer that is due.
    public func fireTimer(_ id: Int32) -> EventOutcome {
        guard let timer = link.timers.fire(id, on: link.host) else { return .done }
        return run(timer.function, as: .timer, once: timer.isLast)
    }

    /// Ends the named timers, because another process runs them from here on. Returns the second of the calendar, since
    /// 1970, up to which they have run.
    public func handOverNamedTimers() -> Int {
        let (functions, ranUntil) = link.timers.handOver(on: link.host)
        functions.forEach { bridgeForgetTimer(bridge, $0) }
        return ranUntil
    }

    /// Starts the named timers that were held.
    /// - Parameter ranUntil: the result of `handOverNamedTimers` in the other process, if it is known.
    public func takeOverNamedTimers(ranUntil: Int?) {
        link.timers.takeOver(ranUntil: ranUntil, on: link.host)
    }

    /// Drops the script's object of a connection that is gone.
    public func forget(_ connection: ConnectionHandle) {
        bridgeForget(bridge, connection.bridged)
    }

    func runLife(_ handler: ScriptHandler, of id: ScriptID, previousVersion: UInt64) -> ScriptError? {
        activity.begin(handler, id)
        switch finish(bridgeOnLife(bridge, id.index, handler.event, previousVersion), handler, id, nil) {
        case .done:
            return nil
        case .waiting(let task):
            startedLife.append(task)
            return nil
        case .failed(let error):
            return error
        case .closeRequested:
            return error(origin(id), during: handler.name)
        }
    }

    @inline(__always)
    private func finish(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ connection: ConnectionHandle?
    ) -> EventOutcome {
        if outcome == .absent { return .done }
        counts[countIndex(handler, id)].calls &+= 1
        return outcome == .done ? .done : finishOtherwise(outcome, handler, id, connection)
    }

    private func finishOtherwise(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ connection: ConnectionHandle?
    ) -> EventOutcome {
        if outcome == .waiting { return .waiting(suspend(.handler(handler, id), connection)) }
        return conclude(outcome, handler, id, origin(id))
    }

    /// The outcome of a handler that has ended.
    func conclude(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ origin: EventOrigin
    ) -> EventOutcome {
        if outcome == .done { return .done }
        let result = bridgeResult(bridge).pointee
        if outcome == .closeRequested, result.code >= 1000 {
            return .closeRequested(code: UInt16(result.code), reason: result.reason)
        }
        counts[countIndex(handler, id)].errors &+= 1
        return .failed(error(origin, during: handler.name))
    }

    private func accept(
        _ result: BridgeResult, offered: [String], _ id: ScriptID, _ origin: EventOrigin
    ) -> UpgradeOutcome {
        guard result.text != nil else { return .accept(subprotocol: nil) }
        let chosen = result.textString
        if offered.contains(chosen) { return .accept(subprotocol: chosen) }
        counts[countIndex(.upgrade, id)].errors &+= 1
        return .failed(
            ScriptError(
                file: file(origin) ?? "", message: "onUpgrade chose the subprotocol '\(chosen)', which was not offered",
                version: origin.bundle.version))
    }

    /// The origin of an event of this script that begins now; without a script, of a timer's function.
    func origin(_ id: ScriptID?) -> EventOrigin {
        guard let live else { preconditionFailure("an event has run, and no bundle is live") }
        let serving = id.map { target($0) } ?? -1
        return EventOrigin(bundle: live, script: serving < 0 ? nil : ScriptID(index: serving))
    }

    /// The error that the bridge last reported, for an event.
    func error(_ origin: EventOrigin, during handler: String) -> ScriptError {
        error(in: origin.bundle, file: file(origin), during: handler)
    }

    private func file(_ origin: EventOrigin) -> String? {
        origin.script.map { "\(name(of: $0)).lua" }
    }

    /// The error that the bridge last reported, for a file of a bundle.
    func error(in bundle: ScriptBundle, file: String?, during handler: String? = nil) -> ScriptError {
        let result = bridgeResult(bridge).pointee
        let kill = ScriptKill(result.killed)
        if kill == .budget { kills &+= 1 }
        var error = ScriptError(
            message: result.messageString, traceback: result.tracebackString, file: file, bundle: bundle, kill: kill)
        error.handler = handler
        return error
    }
}

// MARK: Questions

extension ScriptEngine {
    /// The live script of that name, `nil` when there is none.
    public func script(named name: String) -> ScriptID? {
        guard live?.scripts.contains(where: { $0.name == name }) == true else { return nil }
        return intern(name)
    }

    /// Asks `main` whether a backend's push is allowed.
    public func onPublish(_ question: ScriptQuestion) -> ScriptReply {
        guard let id = script(named: "main"), defines(.publish, id) else { return .absent }
        return ask(.publish, id, question) { bridgeOnPublish(bridge, target(id), &$0) }
    }

    /// Hands a backend's call to a script.
    public func onRequest(_ id: ScriptID, _ question: ScriptQuestion) -> ScriptReply {
        guard defines(.request, id) else { return .absent }
        return ask(.request, id, question) { bridgeOnRequest(bridge, target(id), &$0) }
    }

    /// Asks whether a client may subscribe to a channel.
    public func onSubscribe(
        _ id: ScriptID, _ connection: ConnectionHandle, channel: UnsafeRawBufferPointer
    ) -> ScriptReply {
        guard defines(.subscribe, id) else { return .absent }
        activity.begin(.subscribe, id)
        let name = BridgeBytes(
            bytes: channel.baseAddress?.assumingMemoryBound(to: CChar.self), count: channel.count)
        let outcome = bridgeOnSubscribe(bridge, target(id), connection.bridged, name)
        return begin(outcome, .subscribe, id, connection)
    }

    private func ask(
        _ handler: ScriptHandler, _ id: ScriptID, _ question: ScriptQuestion,
        _ call: (inout BridgeQuestion) -> BridgeOutcome
    ) -> ScriptReply {
        activity.begin(handler, id)
        let strings = bridgeRequestStrings(bridge)
        var list = ScriptStrings(strings)
        for field in question.fields {
            list.append(field.name)
            list.append(field.value)
        }
        for pair in question.query { list.append(name: pair.name, value: pair.value) }
        for field in question.headers { list.append(name: field.name, value: field.value) }
        var bridged = BridgeQuestion(
            strings: strings, fieldCount: Int32(question.fields.count), queryCount: Int32(question.query.count),
            headerCount: Int32(question.headers.count), binary: question.isBinary)
        return begin(call(&bridged), handler, id, nil)
    }

    private func begin(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ connection: ConnectionHandle?
    ) -> ScriptReply {
        counts[countIndex(handler, id)].calls &+= 1
        if outcome == .waiting { return .waiting(suspend(.handler(handler, id), connection)) }
        return reply(outcome, handler, id, origin(id))
    }

    /// The answer of a handler that has ended.
    func reply(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ origin: EventOrigin
    ) -> ScriptReply {
        let result = bridgeResult(bridge).pointee
        defer { bridgeResultRead(bridge) }
        switch outcome {
        case .done, .absent, .waiting:
            return handler == .request ? .response(CallResponse(result)) : .proceed(PublicationChange(result))
        case .refused:
            return .refused(String(decoding: result.strings.first ?? [], as: UTF8.self))
        case .closeRequested, .failed:
            counts[countIndex(handler, id)].errors &+= 1
            return .failed(error(origin, during: handler.name))
        }
    }
}
