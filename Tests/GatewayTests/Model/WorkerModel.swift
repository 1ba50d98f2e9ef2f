// The model: the events that a worker's scripts must have seen. It gets each line that a script notes, in order, and says which
// one must not be; and at rest it says what is missing. If two orders are allowed, the line decides between them.

import Scripting

@testable import Gateway

final class WorkerModel {
    /// Milliseconds that a handler may take in all.
    static let eventTimeout: UInt64 = 5_000

    var now: UInt64 = 0
    private(set) var live: ModelGeneration
    private(set) var guests: [ModelGuest] = []
    /// Functions of timers and of `server.spawn`, by token: those that have not begun, and those that wait.
    private var expected:
        [String: (kind: String, script: String, version: UInt64, due: UInt64, program: ModelProgram)] = [:]
    private var alone: [String: (run: ModelRun, origin: UInt64)] = [:]
    /// Pushes by order, calls each in an order of its own: the tickets that are not answered.
    private var questions: [String: [Question]] = [:]
    private(set) var isStopping = false
    /// Whether waits may be ended because the worker ends or has drained for long enough.
    private(set) var isEnding = false
    /// Whether an onStop was seen.
    private var hasStopped = false
    /// The lines that onStart, onReload and onStop must still write.
    private var lives: Set<String> = []
    private(set) var seen: [String: Int] = [:]

    struct Question {
        let ticket: UInt64
        let kind: String
        let script: String
        let program: ModelProgram
        var run: ModelRun?
        var hasEnded = false
    }

    init(_ live: ModelGeneration) {
        self.live = live
        expectLives("start", "onStart")
    }

    // MARK: What happens

    func add(_ guest: ModelGuest) { guests.append(guest) }

    func remove(where isGone: (ModelGuest) -> Bool) { guests.removeAll(where: isGone) }

    func committed(_ generation: ModelGeneration) {
        live = generation
        for (token, entry) in alone where entry.run.deadline == nil && entry.origin != live.version {
            alone[token]?.run.deadline = now + Self.eventTimeout
        }
        expectLives("reload", "onReload")
        for (name, handlers) in live.scripts where handlers.contains("onReload") && live.version % 3 == 0 {
            lives.insert("reloaded|\(name)|\(live.version)")
        }
    }

    private func expectLives(_ word: String, _ handler: String) {
        for (name, handlers) in live.scripts where handlers.contains(handler) {
            lives.insert("\(word)|\(name)|\(live.version)")
        }
    }

    func kick(_ id: String) {
        guard let guest = guests.first(where: { $0.id == id }), guest.phase == .open, !guest.sawClose else { return }
        guest.shut(4002)
    }

    func expect(_ program: ModelProgram, _ script: String, _ version: UInt64) {
        let fields = program.argument.split(separator: ",").map { String($0) }
        let kind = program.verb == "spawn" ? "spawn" : "timer"
        let due = kind == "spawn" ? now : now + UInt64(fields[1])!
        let sleeps = fields.dropFirst(2).compactMap { UInt64($0) }
        expected[fields[0]] = (kind, script, version, due, ModelProgram(sleeps: sleeps))
    }

    func ask(_ question: Question, order: String) { questions[order, default: []].append(question) }

    func drains() {
        isEnding = true
        for guest in guests {
            switch guest.phase {
            case .open where !guest.sawClose: guest.shut(1012)
            case .asking: guest.refuse(503)
            case .open, .over: break
            }
        }
    }

    func stops() {
        isStopping = true
        isEnding = true
        lives = lives.filter { $0.hasPrefix("reloaded") }
        expectLives("stop", "onStop")
        // An answer that is not written yet may be cut off.
        for guest in guests { guest.status = 101 }
        for guest in guests where guest.phase != .over {
            if guest.phase == .asking {
                guest.isCut = true
                // Nobody reads its request any more.
                if guest.script == nil { guest.phase = .over }
            }
            guest.endings.insert(1006)
            guest.mayDrop = true
        }
    }

    /// The target of a request that is about to be read.
    func route() {
        for guest in guests where guest.phase == .asking && guest.script == nil {
            guest.script = live.route(guest.path)
            guard let script = guest.script else {
                guest.refuse(404)
                continue
            }
            if live.handler("onUpgrade", of: script) == nil { guest.phase = .open }
        }
    }

    // MARK: What is seen

    func observe(_ line: String) throws {
        let fields = line.split(separator: "|", omittingEmptySubsequences: false)
        seen["\(fields[0]) \(fields[1])", default: 0] += 1
        if let why = ["closed", "timeout"].first(where: { fields.count > 5 && fields[5] == $0 }) {
            seen[why, default: 0] += 1
        }
        if hasStopped, fields[1] != "stop" { throw ModelFailure("something after onStop") }
        if fields[1] == "stop" { hasStopped = true }
        switch fields[0] {
        case "c", "u":
            guard let number = Int(fields[4]), let guest = guests.first(where: { $0.number == number }) else {
                throw ModelFailure("a connection that nobody knows")
            }
            if fields[0] == "c" {
                try guest.observe(fields, in: self)
            } else {
                try guest.observeUpgrade(fields, in: self)
            }
        case "a": try observeAlone(fields)
        case "q": try observeQuestion(fields)
        default:
            guard lives.remove(fields[1...].joined(separator: "|")) != nil else { throw ModelFailure("not expected") }
        }
    }

    private func observeAlone(_ fields: [Substring]) throws {
        let (script, version, token) = (String(fields[2]), UInt64(fields[3])!, String(fields[4]))
        if fields[5] == "begins" {
            guard let (kind, ofScript, ofVersion, due, program) = expected.removeValue(forKey: token) else {
                throw ModelFailure("nobody has asked for it, or not twice")
            }
            guard kind == fields[1], script == ofScript, version == ofVersion, now >= due else {
                throw ModelFailure("a \(kind) of \(ofScript) \(ofVersion) due at \(due) ran at \(now)")
            }
            let run = ModelRun(
                kind, script, version, program, now: now, limit: kind == "timer" ? Self.eventTimeout : nil)
            if run.waits { alone[token] = (run, live.version) }
            return
        }
        guard var entry = alone[token], entry.run.script == script, entry.run.version == version else {
            throw ModelFailure("another code goes on, or nothing waited")
        }
        _ = try entry.run.wake(String(fields[5]), now: now, isEnding: isEnding)
        alone[token] = entry.run.waits ? entry : nil
    }

    private func observeQuestion(_ fields: [Substring]) throws {
        let (kind, script, version, ticket) = (fields[1], String(fields[2]), UInt64(fields[3])!, UInt64(fields[4])!)
        // The answers to those before it may be on their way.
        guard
            let (order, place) = questions.lazy.compactMap({ order, queue in
                queue.firstIndex { !$0.hasEnded }.map { (order, $0) }
            }).first(where: { self.questions[$0]![$1].ticket == ticket })
        else { throw ModelFailure("it is not its turn") }
        var question = questions[order]![place]
        defer { questions[order]![place] = question }
        if fields[5] == "begins" {
            let handler = kind == "publish" ? "onPublish" : "onRequest"
            guard question.run == nil, !question.hasEnded, script == question.script, version == live.version,
                live.scripts[script]?.contains(handler) == true
            else { throw ModelFailure("\(handler) of \(script) \(version), live is \(live)") }
            question.run = ModelRun(
                handler, script, version, question.program, now: now, limit: Self.eventTimeout)
        } else {
            guard question.run?.script == script, question.run?.version == version else {
                throw ModelFailure("another code goes on, or nothing waited")
            }
            _ = try question.run!.wake(String(fields[5]), now: now, isEnding: isEnding)
        }
        if !question.run!.waits {
            question.run = nil
            question.hasEnded = true
        }
    }

    /// An answer to a question.
    func observe(_ ticket: UInt64, _ answer: ScriptAnswer) throws {
        if case .stopping = answer {
            guard isStopping else { throw ModelFailure("stopping, and nothing stops") }
            for order in questions.keys { questions[order]!.removeAll { $0.ticket == ticket } }
            return
        }
        guard let order = questions.first(where: { $0.value.first?.ticket == ticket })?.key else {
            throw ModelFailure("the answer to \(ticket) comes twice or too early")
        }
        let question = questions[order]!.removeFirst()
        seen["answer", default: 0] += 1
        guard case .reply(let reply) = answer else { throw ModelFailure("no reply: \(answer)") }
        switch reply {
        case .absent:
            guard live.scripts[question.script]?.contains(question.kind) != true else {
                throw ModelFailure("not asked")
            }
        case .proceed, .response, .failed:
            guard question.hasEnded else { throw ModelFailure("answered before its handler has ended") }
        case .refused, .waiting: throw ModelFailure("answered by \(reply)")
        }
    }

    // MARK: At rest

    func checkQuiet() throws {
        for guest in guests {
            do {
                try guest.checkQuiet(in: self)
            } catch {
                throw ModelFailure("client \(guest.number): \(error)")
            }
        }
        for (token, entry) in expected where entry.due + 1 < now && !isStopping {
            throw ModelFailure("\(entry.kind) \(token) of \(entry.script) \(entry.version) was due at \(entry.due)")
        }
        for entry in alone.values { try entry.run.checkStillWaits(now) }
        for queue in questions.values {
            guard let first = queue.first else { continue }
            guard let run = first.run else { throw ModelFailure("question \(first.ticket) is not answered") }
            try run.checkStillWaits(now)
        }
        if let left = lives.first(where: { !$0.hasPrefix("reloaded") }) { throw ModelFailure("no \(left)") }
        if isStopping {
            guard questions.values.allSatisfy(\.isEmpty) else { throw ModelFailure("questions without an answer") }
            guard guests.allSatisfy({ $0.phase == .over && $0.run == nil }) else {
                throw ModelFailure("somebody is left")
            }
        }
    }
}
