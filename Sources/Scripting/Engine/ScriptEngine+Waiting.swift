// Handlers that wait. The bridge keeps the coroutine, the engine keeps the event that it is about, and the host keeps
// the sleep or request that it waits for.
//
// Read next: LuaBridge/Events/wait.c.

import LuaBridge

extension ScriptEngine {
    /// How many handlers wait.
    public var waitingCount: Int {
        suspended.count
    }

    /// Goes on with a handler that waits. `nil` if that wait is over already, because its event was interrupted or has
    /// ended.
    public func resume(_ ticket: WaitTicket, with answer: WaitAnswer) -> Resumption? {
        if let event = suspended[ticket.task.number] { activity.begin(event.work) }
        link.answer = answer
        defer { link.answer = .done }
        let outcome: BridgeOutcome
        switch answer {
        case .done, .response:
            var bridged = BridgeAnswer(failed: false, text: nil, textCount: 0)
            outcome = bridgeResume(bridge, ticket.bridged, &bridged)
        case .failed(var reason), .requestFailed(var reason, _):
            outcome = reason.withUTF8 { reason in
                reason.withMemoryRebound(to: CChar.self) { reason in
                    var bridged = BridgeAnswer(failed: true, text: reason.baseAddress, textCount: reason.count)
                    return bridgeResume(bridge, ticket.bridged, &bridged)
                }
            }
        }
        return finish(ticket.task, outcome)
    }

    /// Ends the current wait of an event with `nil, "timeout"`; its next wait kills it. `nil` when it does not wait.
    public func timeOut(_ task: ScriptTask) -> Resumption? {
        finish(task, bridgeInterrupt(bridge, task.number, .timeout))
    }

    /// Ends the current wait of an event with `nil, "closed"`; its next wait cancels it. `nil` when it does not wait.
    public func cancel(_ task: ScriptTask) -> Resumption? {
        finish(task, bridgeInterrupt(bridge, task.number, .closed))
    }

    /// Runs `body`, whose events are about a connection that is closed: their first wait answers `nil, "closed"` at
    /// once, and a second one cancels them.
    public func withClosedConnection(_ body: () -> Void) {
        bridgeSetClosed(bridge, true)
        defer { bridgeSetClosed(bridge, false) }
        body()
    }

    /// Runs the functions that `server.spawn` was given since the last call. Returns the outcome of each.
    public func runSpawned() -> [EventOutcome] {
        (0..<link.spawned.count).compactMap { _ in runNextSpawned() }
    }

    /// Runs the next function that `server.spawn` was given. Returns its outcome, `nil` if none waits.
    public func runNextSpawned() -> EventOutcome? {
        link.spawned.popFirst().map { run($0, as: .spawned, once: true) }
    }

    /// How many functions of `server.spawn` wait to be called.
    public var spawnedCount: Int {
        link.spawned.count
    }

    /// How often a timer, a wait or a spawned function was refused because its limit was reached.
    public var refusedCounts: (timers: UInt64, waits: UInt64, spawns: UInt64) {
        (link.timers.refused, bridgeWaitsRefused(bridge), link.spawned.refused)
    }

    /// The place at which the function begins that a timer or `server.spawn` has called last, as "chat.lua:12".
    public var lastFunctionPlace: String {
        var place = BridgeText()
        bridgeFunctionPlace(bridge, &place)
        return place.string
    }

    /// Whether the task is a spawned function of a version that is not live any more.
    public func isSpawnedByOldVersion(_ task: ScriptTask) -> Bool {
        guard let event = suspended[task.number] else { return false }
        return event.work == .spawned && event.origin.bundle.version != version
    }

    /// Calls a function by its number in the bridge.
    func run(_ function: Int32, as work: SuspendedEvent.Work, once: Bool) -> EventOutcome {
        activity.begin(work)
        timerCount.calls &+= 1
        switch bridgeOnTimer(bridge, function, once) {
        case .done, .absent, .refused:
            return .done
        case .waiting:
            return .waiting(suspend(work, nil))
        case .closeRequested, .failed:
            timerCount.errors &+= 1
            return .failed(error(origin(nil), during: work.name))
        }
    }

    /// Records the event that the bridge has just put aside.
    func suspend(
        _ work: SuspendedEvent.Work, _ connection: ConnectionHandle?, offered: [String] = []
    ) -> ScriptTask {
        let task = ScriptTask(number: bridgeResult(bridge).pointee.task)
        suspended[task.number] = SuspendedEvent(
            work: work, connection: connection, origin: origin(work.script),
            functionPlace: work.script == nil ? lastFunctionPlace : nil, offered: offered)
        return task
    }

    private func finish(_ task: ScriptTask, _ outcome: BridgeOutcome) -> Resumption? {
        if outcome == .absent { return nil }
        guard let event = suspended[task.number] else { return nil }
        if outcome == .waiting {
            let again = EventOutcome.waiting(task)
            if event.work.isQuestion { return .reply(event, .waiting(task)) }
            return isUpgrade(event) ? .upgrade(event, .waiting(task)) : .event(event, again)
        }
        suspended[task.number] = nil
        switch event.work {
        case .handler(.upgrade, let id):
            return .upgrade(event, decide(outcome, event.offered, id, event.origin))
        case .handler(let handler, let id) where event.work.isQuestion:
            return .reply(event, reply(outcome, handler, id, event.origin))
        case .handler(let handler, let id):
            return .event(event, concludeWaited(outcome, handler, id, event))
        case .timer, .spawned:
            if outcome == .done { return .event(event, .done) }
            timerCount.errors &+= 1
            return .event(event, .failed(error(event.origin, during: event.work.name)))
        }
    }

    private func concludeWaited(
        _ outcome: BridgeOutcome, _ handler: ScriptHandler, _ id: ScriptID, _ event: SuspendedEvent
    ) -> EventOutcome {
        let ended = conclude(outcome, handler, id, event.origin)
        // Without a connection there is nothing to close: onStart and onReload have failed.
        guard event.connection == nil, case .closeRequested = ended else { return ended }
        return .failed(error(event.origin, during: handler.name))
    }

    private func isUpgrade(_ event: SuspendedEvent) -> Bool {
        if case .handler(.upgrade, _) = event.work { true } else { false }
    }
}
