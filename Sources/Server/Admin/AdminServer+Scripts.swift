// Scripts through the API: reload with an answer that says what happened, and what is live.

import Scripting

extension AdminServer {
    func answer(_ call: AdminCall, _ report: ReloadReport) {
        switch report {
        case .swapped(let version, let changed):
            call.answer(
                200,
                JSONOutput.object {
                    $0.add("version", version); $0.add("changed", changed)
                })
        case .failed(let errors):
            var error = AdminError.scriptsInvalid
            error.message = errors.first.map { $0.summary } ?? error.message
            let list = JSONOutput.object { members in
                members.list("errors", errors) { error, item in
                    item.add("file", error.file)
                    if let line = error.line { item.add("line", line) } else { item.addJSON("line", "null") }
                    item.add("message", error.message)
                    item.add("sourceLine", error.sourceLine)
                    item.add("traceback", error.traceback)
                }
            }
            let json = list.text.dropFirst("{\"errors\":".count).dropLast()
            error.details = [(name: "errors", json: String(json))]
            call.fail(error)
        }
    }

    func listScripts(_ call: AdminCall) {
        let ticket = nextTicket()
        node.workers.postToAll(.scriptStatistics(ticket: ticket))
        gather(ticket, from: node.workers.count) { [unowned self] answers, isComplete in
            guard isComplete else { return call.fail(.overloaded) }
            let live = node.liveScripts
            let counts = Self.sum(answers)
            call.answer(
                200,
                JSONOutput.object { members in
                    members.add("version", live.version)
                    members.add("loadedAt", live.loadedAt)
                    members.list("items", live.scripts) { script, item in
                        item.add("name", script.name)
                        item.add("file", script.file)
                        item.add("route", script.route)
                        item.add("hash", script.hash)
                        item.member("handlers") { handlers in
                            for (name, count) in counts[script.name, default: [:]].sorted(by: { $0.key < $1.key }) {
                                handlers.member(name) {
                                    $0.add("calls", count.calls); $0.add("errors", count.errors)
                                }
                            }
                        }
                    }
                    members.addJSON("next", "null")
                })
        }
    }

    private static func sum(
        _ answers: [(worker: UInt8, answer: WorkerAnswer)]
    ) -> [String: [String: (calls: UInt64, errors: UInt64)]] {
        var sum: [String: [String: (calls: UInt64, errors: UInt64)]] = [:]
        for entry in answers {
            guard case .scripts(let scripts) = entry.answer else { continue }
            for script in scripts {
                for handler in script.handlers {
                    sum[script.name, default: [:]][handler.name, default: (0, 0)].calls += handler.calls
                    sum[script.name, default: [:]][handler.name, default: (0, 0)].errors += handler.errors
                }
            }
        }
        return sum
    }
}
