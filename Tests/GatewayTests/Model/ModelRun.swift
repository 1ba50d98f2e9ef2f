// A handler that runs, as the model knows it: its remaining waits, and the ends that a wait may have.

/// A difference from the model.
struct ModelFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A handler from its beginning to its end. It ends in the code in which it began.
struct ModelRun {
    let kind: String
    let script: String
    let version: UInt64
    let program: ModelProgram
    /// When its time is up; nil when it has no end.
    var deadline: UInt64?
    private var sleepsBegun = 0
    private(set) var due: UInt64 = 0

    /// - Parameter limit: milliseconds that it has.
    init(_ kind: String, _ script: String, _ version: UInt64, _ program: ModelProgram, now: UInt64, limit: UInt64?) {
        (self.kind, self.script, self.version, self.program) = (kind, script, version, program)
        deadline = limit.map { now + $0 }
        begin(now)
    }

    /// Whether it waits.
    var waits: Bool { sleepsBegun > 0 }

    private mutating func begin(_ now: UInt64) {
        guard sleepsBegun < program.sleeps.count else {
            sleepsBegun = 0
            return
        }
        due = now + program.sleeps[sleepsBegun]
        sleepsBegun += 1
    }

    /// A wait has ended with this answer.
    /// - Returns: whether the handler goes on to its end; false when it waits again, or is killed because it wants to.
    mutating func wake(_ answer: String, now: UInt64, isEnding: Bool) throws -> Bool {
        guard waits else { throw ModelFailure("a handler wakes that does not wait") }
        let isLast = sleepsBegun == program.sleeps.count
        switch answer {
        case "done":
            guard now >= due else { throw ModelFailure("woke at \(now), due at \(due)") }
            begin(now)
            return !waits
        case "timeout":
            guard let deadline, now >= deadline else {
                throw ModelFailure("timed out at \(now), not before \(deadline ?? 0)")
            }
        case "closed":
            guard isEnding else { throw ModelFailure("closed, and nothing ends") }
        default:
            throw ModelFailure("an unknown answer: \(answer)")
        }
        sleepsBegun = 0
        return isLast
    }

    /// Checks that a wait which has not ended need not have.
    func checkStillWaits(_ now: UInt64) throws {
        guard due + 1 >= now, deadline.map({ $0 + 1 >= now }) ?? true else {
            throw ModelFailure(
                "\(kind) of \(script) \(version) was due at \(due), deadline \(deadline ?? 0), now \(now)")
        }
    }
}
