// The handler or step that the scripts of one worker began last, for other threads that want to know why the worker
// does not answer.
//
// Runs on: the worker's thread writes, any thread reads. Allocates: when a script has a new name.

import Synchronization

/// The last handler or step that one worker's scripts began.
public final class ScriptActivity: Sendable {
    /// The steps that scripts run besides handlers.
    enum Step: UInt64 {
        case nothing, timer, spawned, loading, migrating, committing

        var text: String {
            switch self {
            case .nothing: "nothing"
            case .timer: "the function of a timer"
            case .spawned: "a spawned function"
            case .loading: "loading scripts"
            case .migrating: "migrating states"
            case .committing: "making scripts live"
            }
        }
    }

    /// A step; or the number of a script in the lower half and the number of a handler plus one in the upper half.
    private let current = Atomic<UInt64>(0)
    private let names = Mutex<[String]>([])
    private static let handlerShift: UInt64 = 32

    /// Nothing has begun.
    public init() {}

    /// Notes the name of the next script by number.
    func add(_ name: String) { names.withLock { $0.append(name) } }

    @inline(__always)
    func begin(_ handler: ScriptHandler, _ id: ScriptID) {
        let number = UInt64(UInt32(bitPattern: id.index))
        current.store((UInt64(handler.rawValue) + 1) << Self.handlerShift | number, ordering: .relaxed)
    }

    func begin(_ step: Step) { current.store(step.rawValue, ordering: .relaxed) }

    func begin(_ work: SuspendedEvent.Work) {
        switch work {
        case .handler(let handler, let id): begin(handler, id)
        case .timer: begin(Step.timer)
        case .spawned: begin(Step.spawned)
        }
    }

    /// As "onMessage of chat.lua".
    public var text: String {
        let value = current.load(ordering: .relaxed)
        guard value >> Self.handlerShift > 0 else { return (Step(rawValue: value) ?? .nothing).text }
        let handler = ScriptHandler(rawValue: Int(value >> Self.handlerShift) - 1)?.name ?? "a handler"
        let number = Int(UInt32(truncatingIfNeeded: value))
        let name = names.withLock { number < $0.count ? $0[number] : "a script" }
        return "\(handler) of \(name).lua"
    }
}
