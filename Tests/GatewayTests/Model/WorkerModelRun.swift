// Random lives of a worker beside its model: clients come, talk, wait and go, scripts are added, changed, broken, renamed, removed and
// rolled back, pushes and calls are asked about, time passes, and at the end the worker stops with the clients that are left.

import EventLoop
import PerigeeTestKit
import PubSub
import Scripting
import SeededGenerator
import Settings
import WebSocket

@testable import Gateway

struct WorkerModelRun {
    private let hand: HandWorker
    private let model: WorkerModel
    private var random: SeededGenerator
    private var generation: ModelGeneration
    private var past: [[String: Set<String>]] = []
    private var lastNumber = 0
    private var lastToken: UInt64 = 0
    private var isDraining = false
    private let isShortOfTime: Bool
    /// The last things that happened, for the report of a failure.
    private var history: [String] = []

    private static let names = ["main", "chat", "game", "news"]
    private static let orders = ["a", "b", "c"]
    private static let mostGuests = 12
    private static let mostInputs = 20

    /// Runs lives of a worker until so many steps are done; the events that scripts have seen, by kind.
    static func run(seed: UInt64, steps: Int) throws -> [String: Int] {
        var random = SeededGenerator(seed: seed)
        var seen: [String: Int] = [:]
        var left = steps
        while left > 0 {
            var life = try WorkerModelRun(seed: random.next())
            let length = min(left, Int.random(in: 50...400, using: &random))
            left -= length
            do {
                for _ in 0..<length { try life.step() }
                try life.stop()
            } catch {
                let last = life.history.suffix(60).joined(separator: "\n")
                throw ModelFailure("seed \(seed), \(left) steps left: \(error)\n\(last)")
            }
            seen.merge(life.model.seen, uniquingKeysWith: +)
        }
        return seen
    }

    private init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        isShortOfTime = random.oneIn(2)
        generation = ModelGeneration(version: 1, scripts: ["main": [], "chat": []])
        for name in generation.scripts.keys.sorted() { generation.scripts[name] = Self.someHandlers(&random) }
        let timeout = WorkerModel.eventTimeout
        hand = try HandWorker(generation.bundle()) { $0.scripts.eventTimeout = .milliseconds(Int(timeout)) }
        model = WorkerModel(generation)
        model.now = hand.clock.now
        try rest()
    }

    private static func someHandlers(_ random: inout SeededGenerator) -> Set<String> {
        Set(ModelGeneration.handlers.filter { _ in !random.oneIn(6) })
    }

    // MARK: Steps

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: connect()
        case 14..<50: send()
        case 50..<56: close()
        case 56..<63: cut()
        case 63..<75: try pass()
        case 75..<85: try reload()
        case 85..<94: ask()
        case 94..<98: for guest in model.guests { guest.client.isSlow = false }
        default: break
        }
        // Several clients that act in one turn are part of the test.
        if !random.oneIn(3) { try rest() }
    }

    private mutating func note(_ text: String) { history.append("\(hand.clock.now) \(text)") }

    private mutating func connect() {
        guard model.guests.count < Self.mostGuests, !isDraining else { return }
        lastNumber += 1
        let path = random.oneIn(8) ? "/nowhere" : "/" + Self.names.randomElement(using: &random)!
        var programs: [String: ModelProgram] = [:]
        for kind in ["open", "drain", "close"] { programs[kind] = program(isShort: true) }
        // An onDrain may run more than once, and its timers would bear the same number.
        if ["spawn", "after"].contains(programs["drain"]!.verb) { programs["drain"]!.verb = "" }
        let verbs = ["", "", "", "data", "data", "refuse", "nope", "number", "fail"]
        programs["up"] = ModelProgram(sleeps: sleeps(isShort: true), verb: verbs.randomElement(using: &random)!)
        let query = programs.map { "&\($0)=\($1.text)" }.sorted().joined()
        let ip = UInt32(10) << 24 | UInt32(lastNumber & 0xFFFF)
        let shown = "10.0.\(lastNumber >> 8 & 0xFF).\(lastNumber & 0xFF)"
        let offer = random.oneIn(2) ? "mqtt" : nil
        let client = HandClient(to: hand, ip: ip, target: "\(path)?n=\(lastNumber)\(query)", subprotocols: offer)
        model.add(ModelGuest(lastNumber, path: path, client: client, ip: shown, programs: programs))
        note("connect \(lastNumber) \(path)\(query)")
    }

    /// Somebody who still talks.
    private mutating func someGuest() -> ModelGuest? {
        model.guests.filter { $0.phase != .over && $0.endings.isEmpty && !$0.client.isClosed }.randomElement(
            using: &random)
    }

    private mutating func send() {
        guard let guest = someGuest(), guest.inputs.count < Self.mostInputs else { return }
        lastToken += 1
        let program = program(isShort: false)
        if program.verb == "flood" { guest.client.isSlow = true }
        guest.inputs.append((Int(lastToken), program))
        guest.client.send(ClientFrame.text("\(lastToken) \(program.text)").bytes)
        note("send \(guest.number): \(lastToken) \(program.text)")
    }

    private mutating func close() {
        guard let guest = someGuest() else { return }
        let code: UInt16 = random.oneIn(2) ? 1000 : 3333
        guest.endings.insert(Int(code))
        guest.client.send(ClientFrame.close(code: code).bytes)
        note("close \(guest.number) with \(code)")
    }

    private mutating func cut() {
        guard let guest = someGuest() else { return }
        cut(guest)
        if random.oneIn(2), let other = someGuest() { cut(other) }
    }

    private mutating func cut(_ guest: ModelGuest) {
        guest.endings.insert(1006)
        if guest.phase == .asking { (guest.isCut, guest.mayGoUnread) = (true, isShortOfTime) }
        // Bytes on a connection that is not read just now may be lost with it.
        if guest.phase == .asking || guest.client.isSlow { guest.mayDrop = true }
        guest.client.close()
        note("cut \(guest.number)")
    }

    private mutating func pass() throws {
        try rest()
        let time: UInt64 = [3, 20, 100, 1_000, 3_000, 5_000, 6_000].randomElement(using: &random)!
        hand.clock.now += time
        note("pass \(time)")
        try rest()
    }

    private mutating func ask() {
        lastToken += 1
        let program = ModelProgram(sleeps: sleeps(isShort: false), verb: random.oneIn(5) ? "fail" : "")
        let text = Array("\(lastToken) \(program.text)".utf8)
        if random.oneIn(3) {
            let script = Self.names.randomElement(using: &random)!
            model.ask(
                .init(ticket: lastToken, kind: "onRequest", script: script, program: program),
                order: "call \(lastToken)")
            let question = ScriptQuestion(fields: [("body", text)])
            hand.worker.askRequest(question, script: script, hand.reply(lastToken))
        } else {
            let order = Self.orders.randomElement(using: &random)!
            model.ask(.init(ticket: lastToken, kind: "onPublish", script: "main", program: program), order: order)
            let question = ScriptQuestion(fields: [("channel", Array(order.utf8)), ("data", text)])
            hand.worker.askPublish(question, order: order, hand.reply(lastToken))
        }
        note("ask \(lastToken) \(program.text)")
    }

    private mutating func reload() throws {
        try rest()
        var next = ModelGeneration(version: generation.version + 1, scripts: generation.scripts)
        let present = next.scripts.keys.sorted()
        let name = Self.names.randomElement(using: &random)!
        let one = present.randomElement(using: &random)!
        var broken: String?
        var what = ""
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<3:
            what = "add or change \(name)"
            next.scripts[name] = Self.someHandlers(&random)
        case 3..<5:
            what = "change \(one)"
            next.scripts[one] = Self.someHandlers(&random)
        case 5..<8:
            what = "remove \(one)"
            next.scripts[one] = nil
        case 8:
            what = "rename \(one) to \(name)"
            next.scripts[name] = next.scripts.removeValue(forKey: one)
        case 9:
            what = "break \(one)"
            broken = one
        default:
            what = "roll back"
            next.scripts = past.randomElement(using: &random) ?? next.scripts
        }
        guard !next.scripts.isEmpty else { return }
        note("\(what): \(next)")
        let errors = hand.reload(try next.bundle(breaking: broken))
        guard errors.isEmpty == (broken == nil) else { throw ModelFailure("reload: \(errors)") }
        if broken == nil {
            past.append(generation.scripts)
            generation = next
            model.now = hand.clock.now
            model.committed(next)
        }
        try rest()
    }

    private mutating func sleeps(isShort: Bool) -> [UInt64] {
        guard random.oneIn(isShort ? 4 : 3) else { return [] }
        return (0..<Int.random(in: 1...3, using: &random)).map { _ in
            [1, 5, 20, 100, 1_000, 3_000, 5_000, 5_001, 9_000].randomElement(using: &random)!
        }
    }

    private mutating func program(isShort: Bool) -> ModelProgram {
        var program = ModelProgram(sleeps: sleeps(isShort: isShort))
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<2: program.verb = random.oneIn(2) ? "close" : "code"
        case 2: program.verb = "fail"
        case 3..<6:
            program.verb = "user"
            program.argument = ["ann", "bob"].randomElement(using: &random)!
        case 6..<11:
            program.verb = random.oneIn(3) ? "leave" : "join"
            program.argument = ["red", "green", "blue"].randomElement(using: &random)!
        case 11..<13:
            guard let id = model.guests.compactMap(\.id).randomElement(using: &random) else { break }
            program.verb = "kick"
            program.argument = id
        case 13..<17:
            lastToken += 1
            program.verb = random.oneIn(2) ? "spawn" : "after"
            let delay = [1, 50, 4_000].randomElement(using: &random)!
            let sleeps = sleeps(isShort: false).map { ",\($0)" }.joined()
            program.argument = "\(lastToken),\(delay)\(sleeps)"
        case 17..<20 where !isShort: program.verb = "flood"
        default: break
        }
        return program
    }

    // MARK: Rest, and the end

    /// In half of the lives a turn may have less time than its scripts need.
    private mutating func someSlice() -> HandWorker.Slice {
        guard isShortOfTime else { return .whole }
        return HandWorker.Slice.allCases.randomElement(using: &random)!
    }

    /// Turns the loop until nothing happens any more, and compares.
    private mutating func rest() throws {
        model.route()
        var quiet = 0
        var turns = 0
        // Actions between the turns have been noted already.
        try observe()
        while quiet < 4 {
            hand.turn(someSlice())
            // A worker that has ended turns no more.
            let hasWork = hand.worker.loop.hasWork && !hand.worker.shutdown.hasEnded
            var isQuiet = try !observe() && !hasWork
            for guest in model.guests where guest.client.read() { isQuiet = false }
            quiet = isQuiet ? quiet + 1 : 0
            turns += 1
            guard turns < 10_000 else { throw ModelFailure("the worker does not come to rest") }
        }
        try model.checkQuiet()
        for guest in model.guests where guest.phase == .over || guest.phase == .open && !guest.endings.isEmpty {
            if guest.phase == .over { guest.endings.insert(1006) }
            guest.client.close()
        }
        model.remove { $0.phase == .over && $0.run == nil }
    }

    /// Tells the model what was noted and answered; false when nothing was.
    @discardableResult
    private mutating func observe() throws -> Bool {
        model.now = hand.clock.now
        let lines = hand.takeLines()
        for line in lines {
            note(line)
            do { try model.observe(line) } catch { throw ModelFailure("\(line): \(error)") }
        }
        let answers = hand.takeAnswers()
        for (ticket, answer) in answers { try model.observe(ticket, answer) }
        return !lines.isEmpty || !answers.isEmpty
    }

    private mutating func stop() throws {
        if random.oneIn(2) {
            try rest()
            note("drain")
            isDraining = true
            model.drains()
            hand.worker.drain(Drain(window: 0, retry: 1_000, isHandover: false))
            for _ in 0..<Int.random(in: 0..<6, using: &random) { try step() }
        }
        if random.oneIn(2) { try rest() }
        note("stop")
        model.stops()
        hand.worker.stop()
        try rest()
        let worker = hand.worker
        guard worker.shutdown.hasEnded, worker.connections.openCount == 0, worker.connections.isEmpty,
            worker.waiting.isEmpty, worker.users.isEmpty, worker.engine.waitingCount == 0
        else { throw ModelFailure("something is left of the worker") }
        hand.end()
    }
}
