// Scripts through the API: reloads, whose answer has the outcome; the scripts that are live; and calls of onRequest.
//
// Runs on: the admin thread.
// Read next: Server/Reload/Reloader.swift, Gateway/Worker/Scripts/BackendQuestions.swift.

import EventLoop
import Gateway
import HTTP1
import JSON
import Scripting
import Settings

extension AdminServer {
    // MARK: Changing

    func reloadScripts(_ call: AdminCall) throws(AdminError) {
        try reload(.folder, for: call)
    }

    func rollBackScripts(_ call: AdminCall) throws(AdminError) {
        guard let text = call.query.first("version") else { return try reload(.rollback(to: nil), for: call) }
        guard let version = UInt64(text) else {
            throw AdminError.parameterInvalid.saying("version is the number of an earlier version")
        }
        try reload(.rollback(to: version), for: call)
    }

    func uploadScript(_ call: AdminCall) throws(AdminError) {
        guard node.configuration.scripts.upload else { throw .uploadOff }
        guard let path = ScriptPath(call.parameters["name"] ?? "") else { throw .scriptNameInvalid }
        try reload(.upload(path, text: call.body), for: call)
    }

    // MARK: Looking

    func listScripts(_ call: AdminCall) {
        countCalls(for: call) { [node] counts in
            let live = node.liveScripts
            return JSONOutput.object { members in
                members.add("version", live.version)
                members.add("hash", live.hash)
                members.add("loadedAt", live.loadedAt)
                members.list("items", live.scripts) { script, item in
                    item.add("name", script.name)
                    item.add("file", script.file)
                    item.add("route", script.route)
                    item.add("hash", script.hash)
                    item.add("loadedAt", script.loadedAt)
                    Self.write(counts[script.name], to: &item)
                }
                members.list("previous", live.previous) { previous, item in
                    item.add("version", previous.version)
                    item.add("hash", previous.hash)
                    item.add("loadedAt", previous.loadedAt)
                }
                members.addJSON("next", "null")
            }
        }
    }

    func describeScript(_ call: AdminCall) throws(AdminError) {
        let live = node.liveScripts
        guard let path = ScriptPath(call.parameters["name"] ?? ""), let file = live.bundle?.file(at: path) else {
            throw .scriptNotFound
        }
        countCalls(for: call) { counts in
            JSONOutput.object { members in
                members.add("name", path.name)
                members.add("file", file.path)
                members.add("routes", live.scripts.filter { $0.file == file.path }.map(\.route))
                members.add("version", live.version)
                members.add("hash", String(file.hash, radix: 16))
                members.add("loadedAt", live.fileTimes[file.path] ?? live.loadedAt)
                Self.write(counts[path.name], to: &members)
                members.add("source", file.source)
            }
        }
    }

    func listScriptErrors(_ call: AdminCall) {
        let (entries, forgotten) = node.scriptErrors.contents
        call.answer(
            200,
            JSONOutput.object { members in
                members.list("items", entries) { entry, item in
                    entry.error.write(to: &item)
                    item.add("handler", entry.error.handler)
                    item.add("version", entry.error.version)
                    item.add("connection", entry.connection)
                    item.add("count", entry.count)
                    item.add("firstSeen", entry.firstSeen)
                    item.add("lastSeen", entry.lastSeen)
                }
                members.add("forgotten", forgotten)
                members.addJSON("next", "null")
            })
    }

    private typealias Counts = [String: [String: (calls: UInt64, errors: UInt64)]]

    /// Asks the workers how often handlers ran, and answers with the object that `body` makes of it.
    private func countCalls(for call: AdminCall, _ body: @escaping (Counts) -> JSONOutput) {
        questions.askAll {
            ScriptStatistics.all(of: $0)
        } then: { answers in
            guard answers.isComplete else { return call.fail(.overloaded) }
            call.answer(200, body(Self.sum(answers.all)))
        }
    }

    private static func write(
        _ counts: [String: (calls: UInt64, errors: UInt64)]?, to members: inout JSONOutput.Members
    ) {
        members.member("handlers") { handlers in
            for (name, count) in (counts ?? [:]).sorted(by: { $0.key < $1.key }) {
                handlers.member(name) {
                    $0.add("calls", count.calls); $0.add("errors", count.errors)
                }
            }
        }
    }

    private static func sum(_ workers: [[ScriptStatistics]]) -> Counts {
        var sum: Counts = [:]
        for script in workers.joined() {
            for handler in script.handlers {
                sum[script.name, default: [:]][handler.name, default: (0, 0)].calls += handler.calls
                sum[script.name, default: [:]][handler.name, default: (0, 0)].errors += handler.errors
            }
        }
        return sum
    }

    // MARK: Calling

    /// `/v1/call/{name}`: the workers take turns.
    func callScript(_ call: AdminCall) throws(AdminError) {
        guard !isDraining else { throw .stopping }
        let name = call.parameters["name"] ?? ""
        let question = question(call, script: name)
        callTurn &+= 1
        let worker = Int(callTurn % UInt64(node.workers.count))
        questions.askScripts(of: worker, patience: node.scriptPatience) { worker, reply in
            worker.askRequest(question, script: name, reply)
        } then: { [unowned self] answer in
            do throws(AdminError) {
                switch try AdminError.reply(in: answer, isStopping: publisher.isStopping) {
                case .response(let response): call.answer(Response(response))
                case .failed(let error): throw AdminError(error)
                case .absent, .proceed, .refused, .waiting: throw .handlerNotFound
                }
            } catch {
                call.fail(error)
            }
        }
    }

    private func question(_ call: AdminCall, script: String) -> ScriptQuestion {
        // Scripts do not see the keys of this API.
        let secrets: Set = node.configuration.admin.keys.isEmpty ? [] : ["authorization", "x-api-key"]
        return ScriptQuestion(
            fields: [
                ("method", Array(call.head.methodText.utf8)), ("path", Array(call.head.path.utf8)),
                ("name", Array(script.utf8)), ("ip", Array(call.ip.utf8)), ("body", call.body),
            ],
            query: call.query.pairs.map { ($0.name, $0.value) },
            headers: call.head.joinedFields.filter { !secrets.contains($0.name) })
    }
}

extension AdminCall {
    /// Answers a reload.
    func answer(_ report: ReloadReport) {
        switch report {
        case .swapped(let version, let changed, let rolledBackTo, let late):
            answer(
                200,
                JSONOutput.object {
                    $0.add("version", version)
                    $0.add("changed", changed)
                    if let rolledBackTo { $0.add("rolledBackTo", rolledBackTo) }
                    if !late.isEmpty { $0.add("late", late) }
                })
        case .failed(let errors):
            var error = AdminError.scriptsInvalid
            error.message = errors.first.map { $0.summary } ?? error.message
            let list = JSONOutput.object { members in
                members.list("errors", errors) { error, item in error.write(to: &item) }
            }
            let json = list.text.dropFirst("{\"errors\":".count).dropLast()
            error.details = [(name: "errors", json: String(json))]
            fail(error)
        case .refused(let refusal):
            fail(AdminError(refusal))
        }
    }

    /// Answers an upgrade.
    func answer(_ report: UpgradeReport) {
        switch report {
        case .done(let pid): answer(200, JSONOutput.object { $0.add("pid", Int(pid)) })
        case .failed(let reason): fail(AdminError.upgradeFailed.saying("not upgraded: \(reason)"))
        case .running: fail(.upgradeRunning)
        }
    }
}

extension Response {
    /// A script's response; without a body where HTTP allows none.
    fileprivate init(_ response: CallResponse) {
        let hasBody = response.status != 204 && response.status != 304
        var fields = response.headers
        if hasBody, !response.type.isEmpty, !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            fields.append(("Content-Type", response.type))
        }
        self.init(
            status: response.status, fields: fields.map { ($0.name, $0.value) }, body: hasBody ? response.body : [])
    }
}

extension ScriptError {
    fileprivate func write(to item: inout JSONOutput.Members) {
        item.add("file", file)
        if let line { item.add("line", line) } else { item.addJSON("line", "null") }
        if let column { item.add("column", column) } else { item.addJSON("column", "null") }
        item.add("message", message)
        item.add("sourceLine", sourceLine)
        item.add("traceback", traceback)
    }
}
