// The commands of test files, word by word. kit.lua is the other end.

import PubSub
import Scripting

extension TestFile {
    func perform(_ command: TestCommand, _ answer: inout ScriptStrings) throws(TestMistake) {
        switch command.word {
        case "begin": answer.append(begin(command.text(0)) ? "run" : "skip")
        case "unexpected": if let error = takeUnexpectedError(of: apps) { answer.append(error) }
        case "end":
            let failed = command.text(2) == "fail"
            end(
                Outcome(
                    name: "tests/\(path): \(command.text(0))", place: command.text(1),
                    failure: failed ? command.text(3) : nil))
        case "load": answer.append(String(try load(command)))
        default: try perform(command, on: try app(command), &answer)
        }
    }

    private func load(_ command: TestCommand) throws(TestMistake) -> Int {
        var options = options
        if !command.text(0).isEmpty { options.settings = command.text(0) }
        let names = command.texts(from: 1)
        for name in names where !bundle.scripts.contains(where: { $0.name == name }) {
            throw TestMistake(message: "t.load: there is no script '\(name)' (\(name).lua)")
        }
        do throws(ScriptErrors) {
            return add(
                try TestApp(
                    names: names, from: bundle, options: options, eventTimeout: eventTimeout,
                    requestTimeout: requestTimeout))
        } catch {
            throw TestMistake(message: "\(error)")
        }
    }

    private func app(_ command: TestCommand) throws(TestMistake) -> TestApp {
        guard let app = Int(command.text(0)).flatMap({ apps[$0] }) else {
            throw TestMistake(message: "this app belongs to a test that has ended")
        }
        return app
    }

    private func perform(
        _ command: TestCommand, on app: TestApp, _ answer: inout ScriptStrings
    ) throws(TestMistake) {
        switch command.word {
        case "connect": try connect(command, app, &answer)
        case "advance":
            app.advance(try command.number(1))
            engine?.setTime(app.clock.date)
        case "push", "call", "reply": try ask(command, app, &answer)
        case "reload": try reload(command, app, &answer)
        case "stop": app.stop()
        case "takeError": if !app.errors.isEmpty { answer.append(app.errors.removeFirst().summary) }
        case "logs": takeLogs(of: app, &answer)
        case "metrics": describeMetrics(of: app, &answer)
        case "httpReply": try reply(command, app)
        case "httpRequests": takeRequests(of: app, &answer)
        case "kvGet": app.store.value(of: command.arguments[1])?.write(to: &answer)
        case "kvSet": answer.append(String(try setKeyValue(command, app)))
        default:
            guard let client = Int(command.text(1)).map({ app.clients[$0] }) else {
                throw TestMistake(message: "unknown command \(command.word)")
            }
            try perform(command, on: client, of: app, &answer)
        }
    }

    private func perform(
        _ command: TestCommand, on client: TestClient, of app: TestApp, _ answer: inout ScriptStrings
    ) throws(TestMistake) {
        switch command.word {
        case "client": describe(client, command.text(2), &answer)
        case "message":
            guard client.isOpen else { throw TestMistake(message: "this client is not connected") }
            client.pending.append(.message(command.arguments[3], binary: command.text(2) == "binary"))
        case "subscribe":
            let channel = try channel(command.text(2))
            let reply = Array(channel.name.utf8).withUnsafeBytes {
                app.engine.onSubscribe(client.script, client.handle, channel: $0)
            }
            app.take(reply) { reply in
                app.reply = reply
                if case .proceed = reply, client.isOpen, !client.channels.contains(channel) {
                    client.channels.append(channel)
                }
            }
            app.settle()
            return app.takeReply(&answer)
        case "take":
            guard !client.inbox.isEmpty else { return }
            let message = client.inbox.removeFirst()
            answer.append(message.binary ? "binary" : "text")
            answer.append(message.bytes)
        case "close":
            guard let code = UInt16(command.text(2)), client.end(code: code, reason: command.text(3)) else {
                throw TestMistake(message: "this client is not connected, or \(command.text(2)) is no close code")
            }
        case "slow":
            let isSlow = command.text(2) == "true"
            if client.isSlow, !isSlow, client.isOpen { client.pending.append(.drain) }
            client.isSlow = isSlow
        default: throw TestMistake(message: "unknown command \(command.word)")
        }
        app.settle()
    }

    private func describe(_ client: TestClient, _ field: String, _ answer: inout ScriptStrings) {
        switch field {
        case "isOpen": answer.append(String(client.isOpen))
        case "id": answer.append(client.id)
        case "user": if let user = client.user { answer.append(user) }
        case "subprotocol": if let subprotocol = client.subprotocol { answer.append(subprotocol) }
        case "channels": for channel in client.channels { answer.append(channel.name) }
        case "closed":
            if let closed = client.closed { answer.append(name: String(closed.code), value: closed.reason) }
        default:
            if let refused = client.refused { answer.append(name: String(refused.status), value: refused.body) }
        }
    }

    private func connect(
        _ command: TestCommand, _ app: TestApp, _ answer: inout ScriptStrings
    ) throws(TestMistake) {
        var request = UpgradeRequest(path: app.path, ip: "127.0.0.1")
        var user: String?
        let words = command.texts(from: 1)
        for index in stride(from: 0, to: words.count - 2, by: 3) {
            let (name, value) = (words[index + 1], words[index + 2])
            switch words[index] {
            case "path": request.path = value
            case "ip": request.ip = value
            case "user": user = value
            case "query": request.query.append((name, value))
            case "header": request.headers.append((name.lowercased(), Array(value.utf8)))
            case "cookie": request.headers.append(("cookie", Array("\(name)=\(value)".utf8)))
            default: request.subprotocols.append(value)
            }
        }
        guard let client = app.connect(request, user: user) else {
            throw TestMistake(message: "app:connect: no script serves \(request.path)")
        }
        if let refused = client.refused {
            answer.append("")
            answer.append(name: String(refused.status), value: refused.body)
        } else {
            answer.append(String(app.clients.count - 1))
        }
    }

    private func reload(_ command: TestCommand, _ app: TestApp, _ answer: inout ScriptStrings) throws(TestMistake) {
        let (scripts, modules) = (app.sources, app.modules)
        let words = command.texts(from: 1)
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            if words[index].hasPrefix("lib/") {
                app.modules[String(words[index].dropFirst(4))] = words[index + 1]
            } else {
                app.sources[words[index]] = words[index + 1]
            }
        }
        do throws(ScriptErrors) {
            try app.load()
            answer.append(String(app.engine.version))
        } catch {
            (app.sources, app.modules) = (scripts, modules)
            answer.append(name: "", value: error.errors.map(\.summary).joined(separator: "\n"))
        }
    }

    private func reply(_ command: TestCommand, _ app: TestApp) throws(TestMistake) {
        let words = command.texts(from: 7)
        let headers = stride(from: 0, to: words.count - 2, by: 3).map {
            (words[$0 + 1].lowercased(), Array(words[$0 + 2].utf8))
        }
        let answer: WaitAnswer =
            command.text(5).isEmpty
            ? .response(
                ScriptResponse(
                    status: Int(try command.number(3)), headers: headers, body: command.arguments[4]))
            : .requestFailed(command.text(5), detail: "")
        app.exchange.add(
            TestExchange.Reply(
                url: command.text(1), method: command.text(2), answer: answer, delay: try command.number(6)))
        app.settle()
    }

    private func takeRequests(of app: TestApp, _ answer: inout ScriptStrings) {
        for request in app.exchange.recorded {
            answer.append(name: request.method, value: request.url)
            answer.append(request.body ?? [])
            answer.append(name: String(request.query.count), value: String(request.headers.count))
            for pair in request.query + request.headers { answer.append(name: pair.name, value: pair.value) }
        }
        app.exchange.recorded = []
    }

    private func describeMetrics(of app: TestApp, _ answer: inout ScriptStrings) {
        for metric in app.engine.metrics {
            answer.append(metric.labels.isEmpty ? metric.name : "\(metric.name){\(metric.labels)}")
            switch metric.value {
            case .counter(let value), .gauge(let value, _): answer.append(name: String(value), value: "")
            case .histogram(let sum, let buckets):
                answer.append(name: String(sum), value: String(buckets.reduce(0, +)))
            }
        }
    }

    private func takeLogs(of app: TestApp, _ answer: inout ScriptStrings) {
        for line in app.logs {
            answer.append(name: "\(line.level == .warning ? "warn" : "\(line.level)")", value: line.message)
            answer.append(String(line.fields.count))
            for field in line.fields { answer.append(name: field.name, value: field.value) }
        }
        app.logs = []
    }

    private func setKeyValue(_ command: TestCommand, _ app: TestApp) throws(TestMistake) -> Bool {
        let text = command.text(3)
        let value: KeyValue? =
            switch command.text(2) {
            case "nil": nil
            case "boolean": .boolean(text == "true")
            case "integer": Int64(text).map(KeyValue.integer)
            case "float": Double(text).map(KeyValue.number)
            case "string": .string(command.arguments[3])
            default: throw TestMistake(message: "kv.set: a \(command.text(2)) cannot be kept")
            }
        let existed = app.store.value(of: command.arguments[1]) != nil
        _ = app.store.set(command.arguments[1], to: value)
        return existed
    }
}

extension KeyValue {
    /// Kind and text, as the kit reads them.
    func write(to answer: inout ScriptStrings) {
        switch self {
        case .boolean(let boolean): answer.append(name: "boolean", value: String(boolean))
        case .integer(let integer): answer.append(name: "number", value: String(integer))
        case .number(let number): answer.append(name: "number", value: String(number))
        case .string(let bytes):
            answer.append("string")
            answer.append(bytes)
        }
    }
}
