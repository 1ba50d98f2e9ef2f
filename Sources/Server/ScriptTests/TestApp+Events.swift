// What happens to the clients of scripts under test, as the server would bring it about: events of one client run one at
// a time, and exactly one onClose follows each onOpen.

import PubSub
import Scripting

extension TestApp {
    /// A client that asks to connect: `refused` says if onUpgrade did not let it in.
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
        case .waiting:
            client.refused = (503, "")
        case .failed(let error):
            client.refused = (500, "")
            errors.append(error)
        }
        if client.refused != nil { engine.forget(client.handle) }
    }

    /// Runs what waits to be told to scripts, until nothing is left.
    func settle() {
        var isQuiet: Bool
        repeat {
            isQuiet = true
            for client in clients where !client.pending.isEmpty {
                isQuiet = false
                run(client.pending.removeFirst(), of: client)
            }
        } while !isQuiet
    }

    private func run(_ event: TestClient.Event, of client: TestClient) {
        switch event {
        case .open:
            client.wasOpened = true
            finish(engine.onOpen(client.script, client.handle), of: client)
        case .message(let bytes, let binary):
            guard client.isOpen else { return }
            finish(
                bytes.withUnsafeBytes { engine.onMessage(client.script, client.handle, $0, binary: binary) }, of: client
            )
        case .drain:
            finish(engine.onDrain(client.script, client.handle), of: client)
        case .close(let code, let reason):
            if client.wasOpened {
                let outcome = Array(reason.utf8).withUnsafeBytes {
                    engine.onClose(client.script, client.handle, code: code, reason: $0)
                }
                finish(outcome, of: client)
            }
            client.channels = []
            engine.forget(client.handle)
        }
    }

    private func finish(_ outcome: EventOutcome, of client: TestClient?) {
        switch outcome {
        case .done, .waiting: break
        case .closeRequested(let code, let reason): _ = client?.end(code: code, reason: reason)
        case .failed(let error): errors.append(error)
        }
    }

    /// Lets time pass: what is due on the way runs at its own time, in order.
    func advance(_ seconds: Double) {
        let end = clock.now + seconds
        while let next = alarms.indices.min(by: { alarms[$0].due < alarms[$1].due }), alarms[next].due <= end {
            let alarm = alarms[next]
            clock.now = max(clock.now, alarm.due)
            if let period = alarm.period {
                alarms[next].due += period
            } else {
                alarms.remove(at: next)
            }
            finish(engine.fireTimer(alarm.timer), of: nil)
            settle()
        }
        clock.now = end
    }

    func stop() {
        errors += engine.stop()
        settle()
    }
}
