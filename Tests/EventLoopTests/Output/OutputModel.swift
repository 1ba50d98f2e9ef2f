// Random turns of a loop whose sockets write, publish, close and are closed, from outside and from every callback. The
// kernel takes any part of the bytes, refuses them or fails. The reference is simple: each socket has the list of bytes
// written to it, and the kernel must be given exactly these, in this order, and in the end all of them.
//
// Read next: OutputModel+Actions.swift, ModelLine.swift.

import Glibc
import SeededGenerator

@testable import EventLoop

/// One run of random turns.
final class OutputModel {
    /// The cases that a run must have met; otherwise it proves little.
    struct Seen {
        var refusals = 0
        var failures = 0
        var drained = 0
        var closed = 0
        var fullTurns = 0
        var keyUpdates = 0
        var renegotiations = 0
        var refusedWhileDirty = 0
        var bytes = 0
        var deadlines = 0
        var stalls = 0
        var messages = 0
        var works = 0
        var putOffs = 0
    }

    private static let lineCount = 8
    private static let channelCount = 3

    /// The model's clock in milliseconds.
    private final class Clock {
        var now: UInt64 = 1_000
    }

    private let clock: Clock
    let loop: EventLoop
    let inbox = Inbox<Int>()
    let kernel: RandomKernel
    var generator: SeededGenerator
    var lines: [ModelLine] = []
    /// The lines that receive a channel's publications.
    var channels = [Set<Int>](repeating: [], count: channelCount)
    var timers: [TimerID] = []
    /// The number of actions that are left in this turn, because callbacks that write to each other would never end.
    var allowance = 0
    var seen = Seen()
    private(set) var faults: [String] = []
    private var callbackDepth = 0
    private var made = 0

    init(seed: UInt64) {
        let clock = Clock()
        self.clock = clock
        loop = EventLoop(clock: { clock.now })
        generator = SeededGenerator(seed: seed)
        kernel = RandomKernel(seed: ~seed)
        SystemWrite.$kernel.withValue(kernel) {
            lines = (0..<Self.lineCount).map { _ in makeLine() }
        }
        loop.writeTimeout = 40
        loop.attach(inbox) { [unowned self] index in
            seen.messages += 1
            callback("a message of the inbox") { act(on: index) }
        }
        loop.work = { [unowned self] in work() }
    }

    /// Runs the actions that were put off until this turn.
    private func work() {
        loop.hasWork = false
        seen.works += 1
        callback("work") { act() }
        for line in lines where line.isPutOff && (allowance == 0 || generator.oneIn(2)) { line.socket.closePutOff() }
        if lines.contains(where: \.isPutOff) { loop.hasWork = true }
    }

    /// Runs this many turns, and settles from time to time.
    func run(turns: Int) {
        SystemWrite.$kernel.withValue(kernel) {
            for turn in 1...turns where faults.isEmpty {
                step()
                if turn % 400 == 0 || turn == turns { settle() }
            }
        }
        seen.refusals = kernel.refusals
        seen.failures = kernel.failures
        seen.bytes = kernel.bytes
    }

    func fault(_ text: String) { faults.append(text) }

    private func step() {
        allowance = 40
        for _ in 0..<Int.random(in: 0...3, using: &generator) { act() }
        for index in lines.indices { tend(index) }
        // After a long pause the deadlines and stalls of several sockets come at once.
        clock.now += generator.oneIn(60) ? 120 : UInt64.random(in: 0...2, using: &generator)
        loop.turn(waitingAtMost: 0)
    }

    /// From here on the kernel takes everything: all written bytes arrive, and no socket is left with unsent bytes.
    private func settle() {
        allowance = 0
        kernel.isOpen = true
        for line in lines where !line.isOver { line.socket.setReading(true) }
        var rounds = 0
        // Timers of up to three milliseconds still come; they do nothing without an allowance.
        while rounds < 5 || (rounds < 200 && lines.contains { !$0.isSettled }) {
            for line in lines where !line.isOver { line.shakeHands(self) }
            clock.now += 1
            loop.turn(waitingAtMost: 0)
            rounds += 1
        }
        for line in lines where !line.isSettled { fault("line \(line.name) waits for ever: \(line.state)") }
        for line in lines { line.check(self) }
        kernel.isOpen = false
    }

    /// Keeps a line's client talking, and replaces a line that is over with a new one.
    private func tend(_ index: Int) {
        let line = lines[index]
        if line.isOver {
            line.check(self)
            for channel in channels.indices { channels[channel].remove(index) }
            lines[index] = makeLine()
        } else if line.isFinishing, generator.oneIn(8) {
            line.hangUpWhenServed()
        } else {
            line.shakeHands(self)
        }
    }

    private func makeLine() -> ModelLine {
        made += 1
        let kind = ModelLine.Kind.allCases[made % 4 == 0 ? 1 : made % 8 == 2 ? 2 : 0]
        return ModelLine(kind, name: made, in: self)
    }

    /// The body of a socket's callback. No callback may run while another one is running.
    func callback(of line: ModelLine, _ what: String) {
        if line.isOver { fault("\(what) of line \(line.name) was called behind its end") }
        if line.isPutOff { fault("\(what) of line \(line.name) was called while its end was put off") }
        callback("\(what) of line \(line.name)") {
            for _ in 0..<Int.random(in: 0...2, using: &generator) { act() }
        }
    }

    private func callback(_ what: String, _ body: () -> Void) {
        if callbackDepth > 0 { fault("\(what) was called from within another callback") }
        callbackDepth += 1
        body()
        callbackDepth -= 1
    }
}
