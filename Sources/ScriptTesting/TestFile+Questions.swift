// The requests of a backend to scripts under test: a push, which passes onPublish, and a call, which is onRequest's.

import PubSub
import Scripting

extension TestFile {
    func ask(_ command: TestCommand, _ app: TestApp, _ answer: inout ScriptStrings) throws(TestMistake) {
        switch command.word {
        case "push": try push(command, app)
        case "call": try call(command, app)
        default: break
        }
        app.settle()
        app.takeReply(&answer)
    }

    func channel(_ name: String) throws(TestMistake) -> Channel {
        guard let channel = Channel(name) else { throw TestMistake(message: "invalid channel name") }
        return channel
    }

    private func push(_ command: TestCommand, _ app: TestApp) throws(TestMistake) {
        let name = try channel(command.text(1))
        let isBinary = command.text(4) == "true"
        var fields: [ScriptQuestion.Field] = [("channel", Array(name.name.utf8)), ("data", command.arguments[2])]
        if !command.text(3).isEmpty { fields.append(("key", command.arguments[3])) }
        let question = ScriptQuestion(fields: fields, isBinary: isBinary)
        let data = command.arguments[2]
        app.take(app.engine.onPublish(question)) { reply in
            app.reply = reply
            switch reply {
            case .absent: app.deliver(data, binary: isBinary, to: name)
            case .proceed(let change):
                let target = change?.channel.flatMap { $0.withUnsafeBytes { Channel($0) } } ?? name
                app.deliver(change?.data ?? data, binary: change?.isBinary ?? isBinary, to: target)
            case .refused, .response, .waiting, .failed: break
            }
        }
    }

    private func call(_ command: TestCommand, _ app: TestApp) throws(TestMistake) {
        guard let script = app.engine.script(named: command.text(1)) else {
            throw TestMistake(message: "app:call: there is no script '\(command.text(1))'")
        }
        var question = ScriptQuestion(fields: [
            ("method", command.arguments[2]), ("path", Array("/v1/call/\(command.text(1))".utf8)),
            ("name", command.arguments[1]), ("ip", Array("127.0.0.1".utf8)), ("body", command.arguments[3]),
        ])
        let words = command.texts(from: 4)
        for index in stride(from: 0, to: words.count - 2, by: 3) {
            let (name, value) = (words[index + 1], words[index + 2])
            if words[index] == "query" {
                question.query.append((name, value))
            } else {
                question.headers.append((name.lowercased(), Array(value.utf8)))
            }
        }
        app.take(app.engine.onRequest(script, question)) { app.reply = $0 }
    }
}

extension TestApp {
    func deliver(_ bytes: [UInt8], binary: Bool, to channel: Channel) {
        _ = bytes.withUnsafeBytes { publish($0, binary: binary, to: channel, except: nil) }
    }

    /// The kind of the answer as a word, then its content; "waiting" when there is none yet.
    func takeReply(_ answer: inout ScriptStrings) {
        defer { reply = nil }
        switch reply {
        case nil, .waiting: answer.append("waiting")
        case .absent: answer.append("absent")
        case .proceed: answer.append("proceed")
        case .refused(let reason): answer.append(name: "refused", value: reason)
        case .failed(let error): answer.append(name: "failed", value: error.summary)
        case .response(let response):
            answer.append(name: "response", value: String(response.status))
            answer.append(response.body)
            answer.append(response.type)
            for field in response.headers { answer.append(name: field.name, value: field.value) }
        }
    }
}
