// A connection as the model knows it: the events that its script must see, their order, and their content.

/// One client and the events that its script has seen of it.
final class ModelGuest {
    enum Phase {
        /// Its request is on the way, or its onUpgrade waits.
        case asking
        case open
        /// Its script has seen its end, or it never opened.
        case over
    }

    let number: Int
    let path: String
    let client: HandClient
    let ip: String
    let programs: [String: ModelProgram]
    /// The script that its path led to; it keeps it.
    var script: String?
    var phase = Phase.asking
    var status = 101
    var id: String?
    var seq = 0
    var user: String?
    var channels: Set<String> = []
    /// The messages that its script has not seen.
    var inputs: [(number: Int, program: ModelProgram)] = []
    var run: ModelRun?
    var sawOpen = false
    var sawClose = false
    /// The codes with which it may end; empty as long as nothing ends it.
    var endings: Set<Int> = []
    /// Whether scripts can do nothing more with it.
    var isShut = false
    /// Whether messages that were not read may be dropped, because the server ends it.
    var mayDrop = false
    /// Its state before each change that a handler made after the client had gone: the server may have known that already, and
    /// then the change had no effect.
    private var doubts: [(user: String?, channels: Set<String>)] = []
    /// Whether a flood was sent and no onDrain has been seen since, and how many may be seen.
    var owesDrain = false
    var floods = 0

    init(_ number: Int, path: String, client: HandClient, ip: String, programs: [String: ModelProgram]) {
        (self.number, self.path, self.client, self.ip, self.programs) = (number, path, client, ip, programs)
    }

    /// The server ends it, or somebody asks it to.
    func shut(_ code: Int) {
        endings.insert(code)
        isShut = true
        mayDrop = true
    }

    /// Checks what a line of its script says that the connection is.
    func checkWhole(_ fields: [Substring]) throws {
        seq += 1
        if id == nil, fields[7] != "nil" { id = String(fields[7]) }
        let shown = fields[6...].map { String($0) }
        guard shown != expected else { return }
        let now = expected
        for doubt in doubts {
            (user, channels) = doubt
            guard shown == expected else { continue }
            isShut = true
            doubts = []
            return
        }
        throw ModelFailure("the connection is \(shown), not \(now)")
    }

    private var expected: [String] {
        ["\(seq)", id ?? "an id", path, ip, user ?? "nil", channels.sorted().joined(separator: ",")]
    }

    /// Something of its script begins or goes on.
    func observe(_ fields: [Substring], in model: WorkerModel) throws {
        let (kind, script, version, what) = (
            String(fields[1]), String(fields[2]), UInt64(fields[3])!, String(fields[5])
        )
        try checkWhole(fields)
        if let running = run {
            guard kind == running.kind else { throw ModelFailure("\(kind) while \(running.kind) waits") }
            guard script == running.script, version == running.version else {
                throw ModelFailure(
                    "\(kind) goes on in \(script) \(version), began in \(running.script) \(running.version)")
            }
            if what == "closed" { isShut = true }
            let ends = try run!.wake(what, now: model.now, isEnding: !endings.isEmpty)
            if !run!.waits { run = nil }
            if ends { try act(running.program, running.script, running.version, in: model) }
            return
        }
        let program = try begin(kind, what, in: model)
        let handler = "on" + kind.prefix(1).uppercased() + kind.dropFirst()
        guard model.live.handler(handler, of: self.script ?? "") == script, version == model.live.version else {
            throw ModelFailure("\(handler) of \(script) \(version) ran, live is \(model.live)")
        }
        run = ModelRun(kind, script, version, program, now: model.now, limit: WorkerModel.eventTimeout)
        guard !run!.waits else { return }
        run = nil
        try act(program, script, version, in: model)
    }

    /// A handler begins; its orders.
    private func begin(_ kind: String, _ what: String, in model: WorkerModel) throws -> ModelProgram {
        guard phase == .open else { throw ModelFailure("\(kind) while \(phase)") }
        switch kind {
        case "open":
            guard !sawOpen, seq == 1 else { throw ModelFailure("a second onOpen, or a late one") }
            sawOpen = true
        case "message":
            guard !inputs.isEmpty, what == "\(inputs[0].number)" else {
                throw ModelFailure("message \(what) and not \(inputs.map(\.number))")
            }
            return inputs.removeFirst().program
        case "drain":
            guard floods > 0 else { throw ModelFailure("onDrain, and nothing was blocked") }
            floods -= 1
            owesDrain = false
        case "close":
            guard endings.contains(Int(what)!) else { throw ModelFailure("onClose with \(what), not \(endings)") }
            guard mayDrop || inputs.isEmpty || model.live.handler("onMessage", of: script ?? "") == nil else {
                throw ModelFailure("onClose before the messages \(inputs.map(\.number))")
            }
            guard !sawClose else { throw ModelFailure("a second onClose") }
            sawClose = true
            isShut = true
            inputs = []
        default: throw ModelFailure("an unknown event: \(kind)")
        }
        return programs[kind]!
    }

    private func act(_ program: ModelProgram, _ script: String, _ version: UInt64, in model: WorkerModel) throws {
        if !endings.isEmpty && !isShut { doubts.append((user, channels)) }
        switch program.verb {
        case "close" where !isShut: shut(4000)
        case "code" where !isShut: shut(4001)
        case "user" where !isShut: user = program.argument
        case "join" where !isShut: channels.insert(program.argument)
        case "leave" where !sawClose: channels.remove(program.argument)
        case "flood" where !isShut:
            owesDrain = true
            floods += 1
        case "kick": model.kick(program.argument)
        case "spawn", "after": model.expect(program, script, version)
        default: break
        }
    }

    /// Its onUpgrade begins or goes on.
    func observeUpgrade(_ fields: [Substring], in model: WorkerModel) throws {
        let (script, version, what) = (String(fields[2]), UInt64(fields[3])!, String(fields[5]))
        if let running = run {
            guard running.kind == "upgrade", running.script == script, running.version == version else {
                throw ModelFailure("onUpgrade goes on in \(script) \(version), began in \(running)")
            }
            let ends = try run!.wake(what, now: model.now, isEnding: !endings.isEmpty || model.isEnding)
            guard !run!.waits else { return }
            run = nil
            // A client that went meanwhile has nothing decided about it. A handler that is killed has failed.
            if !isCut { decide(ends ? running.program.verb : "fail") }
            return
        }
        guard phase == .asking, model.live.handler("onUpgrade", of: self.script ?? "") == script,
            version == model.live.version, what == "begins"
        else { throw ModelFailure("onUpgrade of \(script) \(version) while \(phase), live is \(model.live)") }
        let program = programs["up"]!
        run = ModelRun("upgrade", script, version, program, now: model.now, limit: WorkerModel.eventTimeout)
        guard !run!.waits else { return }
        run = nil
        decide(program.verb)
    }

    private func decide(_ verb: String) {
        guard phase == .asking else { return }
        switch verb {
        case "refuse": refuse(401)
        case "nope", "number", "fail": refuse(500)
        default: phase = .open
        }
    }

    /// Whether its socket was cut before it was open.
    var isCut = false
    /// Whether its request may wait for a turn, in which nobody reads it when the client is gone.
    var mayGoUnread = false

    func refuse(_ status: Int) {
        phase = .over
        self.status = status
    }

    /// Nothing more happens by itself: all required events have happened.
    func checkQuiet(in model: WorkerModel) throws {
        if let run { try run.checkStillWaits(model.now) }
        switch phase {
        case .asking:
            if run == nil {
                guard !endings.isEmpty else { throw ModelFailure("nobody has decided about \(number)") }
                phase = .over
            } else if isCut {
                throw ModelFailure("onUpgrade waits for a client that is gone")
            }
        case .open:
            if let status = client.status, status != 101 { throw ModelFailure("answered \(status), not 101") }
            try checkQuietWhileOpen(in: model)
        case .over: break
        }
        if phase == .over, status != 101, !client.isClosed, !client.isSlow, client.status != status {
            throw ModelFailure("answered \(client.status ?? 0), not \(status)")
        }
    }

    private func checkQuietWhileOpen(in model: WorkerModel) throws {
        if mayGoUnread, seq == 0, run == nil {
            phase = .over
            return
        }
        if !sawOpen, model.live.handler("onOpen", of: script!) != nil, seq == 0, run == nil, !skippedOpen {
            throw ModelFailure("no onOpen")
        }
        skippedOpen = true
        if endings.isEmpty {
            guard run == nil else { return }
            if owesDrain, !client.isSlow {
                guard model.live.handler("onDrain", of: script!) == nil else { throw ModelFailure("no onDrain") }
                owesDrain = false
            }
            if !client.isSlow { floods = 0 }
            guard inputs.isEmpty || model.live.handler("onMessage", of: script!) == nil else {
                throw ModelFailure("the messages \(inputs.map(\.number)) were not seen")
            }
            inputs = []
            return
        }
        if let run, run.kind != "close" { throw ModelFailure("\(run.kind) waits on a connection that is over") }
        guard sawClose || model.live.handler("onClose", of: script!) == nil || endedSilently else {
            throw ModelFailure("no onClose")
        }
        endedSilently = true
        if run == nil { phase = .over }
    }

    /// Whether its onOpen was due in a version that had none, and its onClose likewise.
    private var skippedOpen = false
    private var endedSilently = false
}
