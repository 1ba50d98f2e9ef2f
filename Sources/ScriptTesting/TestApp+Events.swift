// The events of the clients of scripts under test, in the order of the server: events of one client run one at a time, and
// exactly one onClose follows each onOpen.

import PubSub
import Scripting

extension TestApp {
    /// A client that asks to connect: `refused` says if onUpgrade refused it.
    func connect(_ request: UpgradeRequest, user: String?) -> TestClient? {
        guard let script = engine.script(forPath: request.path) else { return nil }
        let handle = ConnectionHandle(slot: UInt32(clients.count) + 1, generation: 1)
        let client = TestClient(handle: handle, script: script, request: request)
        client.user = user
        clients.append(client)
        decide(engine.onUpgrade(script, handle, request: request), client)
        settle()
        return client
    }

    private func decide(_ outcome: UpgradeOutcome, _ client: TestClient) {
        switch outcome {
        case .accept(let subprotocol):
            client.subprotocol = subprotocol
            client.isOpen = true
            client.pending.append(.open)
        case .refuse(let status, let body):
            client.refused = (status, body)
        case .failed(let error):
            client.refused = (500, "")
            errors.append(error)
        case .waiting(let task):
            client.waiting = task
            beginToWait(task, client)
            return
        }
        if client.refused != nil { engine.forget(client.handle) }
    }

    /// Runs the pending events, until none is left.
    func settle() {
        var isQuiet: Bool
        repeat {
            isQuiet = true
            if hasSpawned {
                isQuiet = false
                hasSpawned = false
                for outcome in engine.runSpawned() { finish(outcome, of: nil) }
            }
            while let match = exchange.match() {
                alarms.removeAll { $0.purpose == .answer(match.ticket) }
                alarms.append(Alarm(purpose: .answer(match.ticket), due: clock.now + match.delay, period: nil))
            }
            while let due = alarms.firstIndex(where: { $0.isAnswer && $0.due <= clock.now }) {
                isQuiet = false
                fire(alarms.remove(at: due))
            }
            for client in clients where !client.pending.isEmpty {
                if client.closed != nil {
                    isQuiet = false
                    engine.withClosedConnection { runNext(of: client) }
                } else if client.waiting == nil {
                    isQuiet = false
                    runNext(of: client)
                }
            }
        } while !isQuiet
    }

    /// Runs the next event. A handler that waits for a client that is gone is ended first, and cannot wait again.
    private func runNext(of client: TestClient) {
        while let task = client.waiting, let resumption = engine.cancel(task) { proceed(task, resumption) }
        run(client.pending.removeFirst(), of: client)
    }

    private func run(_ event: TestClient.Event, of client: TestClient) {
        switch event {
        case .open:
            client.wasOpened = true
            finish(engine.onOpen(client.script, client.handle), of: client)
        case .message(let bytes, let binary):
            finish(
                bytes.withUnsafeBytes { engine.onMessage(client.script, client.handle, $0, binary: binary) }, of: client
            )
        case .drain:
            finish(engine.onDrain(client.script, client.handle), of: client)
        case .close(let code, let reason):
            close(client, code, reason)
        }
    }

    private func close(_ client: TestClient, _ code: UInt16, _ reason: String) {
        guard client.wasOpened else { return }
        let outcome = Array(reason.utf8).withUnsafeBytes {
            engine.onClose(client.script, client.handle, code: code, reason: $0)
        }
        finish(outcome, of: client)
        client.channels = []
        engine.forget(client.handle)
    }

    private func finish(_ outcome: EventOutcome, of client: TestClient?) {
        switch outcome {
        case .done: break
        case .closeRequested(let code, let reason): _ = client?.end(code: code, reason: reason)
        case .failed(let error): if error.kill != .closed { errors.append(error) }
        case .waiting(let task):
            client?.waiting = task
            beginToWait(task, client)
        }
    }

    // MARK: Waiting

    private func beginToWait(_ task: ScriptTask, _ client: TestClient?) {
        guard waiting[task] == nil else { return }
        waiting[task] = .some(client)
        if client != nil {
            alarms.append(Alarm(purpose: .timeOut(task), due: clock.now + eventTimeout, period: nil))
        }
    }

    /// An event that has waited has gone on.
    func proceed(_ task: ScriptTask, _ resumption: Resumption) {
        let client = waiting[task] ?? nil
        switch resumption {
        case .event(_, .waiting), .upgrade(_, .waiting):
            return
        case .event(_, let outcome):
            endWait(task, client)
            finish(outcome, of: client)
        case .upgrade(_, let outcome):
            endWait(task, client)
            if let client { decide(outcome, client) }
        case .reply(_, .waiting):
            return
        case .reply(_, let reply):
            endWait(task, client)
            take(reply, questions.removeValue(forKey: task) ?? { _ in })
        }
    }

    /// Passes the answer to a question on, at once or when the handler has waited.
    func take(_ reply: ScriptReply, _ answered: @escaping (ScriptReply) -> Void) {
        switch reply {
        case .waiting(let task):
            questions[task] = answered
            waiting[task] = .some(nil)
            alarms.append(Alarm(purpose: .timeOut(task), due: clock.now + eventTimeout, period: nil))
        case .failed(let error):
            errors.append(error)
            answered(reply)
        case .absent, .proceed, .refused, .response:
            answered(reply)
        }
    }

    private func endWait(_ task: ScriptTask, _ client: TestClient?) {
        waiting[task] = nil
        client?.waiting = nil
        alarms.removeAll { $0.purpose == .timeOut(task) }
    }

    // MARK: Time

    /// Lets time pass: the alarms on the way run at their own times, in order.
    func advance(_ seconds: Double) {
        let end = clock.now + seconds
        while let next = alarms.indices.min(by: { alarms[$0].due < alarms[$1].due }), alarms[next].due <= end {
            let alarm = alarms[next]
            pass(to: max(clock.now, alarm.due))
            if let period = alarm.period {
                alarms[next].due += period
            } else {
                alarms.remove(at: next)
            }
            fire(alarm)
            settle()
        }
        pass(to: end)
    }

    private func pass(to seconds: Double) {
        clock.now = seconds
        engine.setTime(clock.date)
    }

    private func fire(_ alarm: Alarm) {
        switch alarm.purpose {
        case .timer(let timer):
            finish(engine.fireTimer(timer), of: nil)
        case .wake(let ticket):
            if let resumption = engine.resume(ticket, with: .done) { proceed(ticket.task, resumption) }
        case .answer(let ticket):
            let answer = exchange.takeAnswer(ticket)
            if let resumption = engine.resume(ticket, with: answer) { proceed(ticket.task, resumption) }
        case .timeOut(let task):
            if let resumption = engine.timeOut(task) { proceed(task, resumption) }
        }
    }

    func stop() {
        errors += engine.stop()
        settle()
    }
}
