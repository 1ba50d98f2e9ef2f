// A limit for the time that a test takes. Swift Testing's own limit cancels a task, which a test that waits in a system call does
// not notice; this one ends the program, and says which test it was. So no test, and no loop in one, waits for ever.
//
// Runs on: the tests' threads, and one thread of its own that looks every second.

import Glibc
import Synchronization
public import Testing

/// Ends the run of tests when a test takes longer.
public struct TimeBound: TestTrait, SuiteTrait, TestScoping {
    public var isRecursive: Bool { true }
    private let seconds: Int

    public init(minutes: Int) {
        // A sanitizer makes everything slower.
        seconds = 60 * minutes * (Self.isSanitized ? 10 : 1)
    }

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> TimeBound? { testCase == nil ? nil : self }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let ticket = RunningTests.shared.begin("\(test.id)", seconds: seconds)
        defer { RunningTests.shared.end(ticket) }
        try await function()
    }

    /// Whether a sanitizer is part of this process.
    public static let isSanitized: Bool = {
        let process = dlopen(nil, RTLD_NOW)
        return ["__asan_init", "__tsan_init"].contains { (name: String) in dlsym(process, name) != nil }
    }()
}

/// The tests that run just now.
private final class RunningTests: Sendable {
    struct Entry {
        let name: String
        let seconds: Int
        let end: ContinuousClock.Instant
    }

    struct State {
        var entries: [Int: Entry] = [:]
        var next = 0
        var isWatched = false
    }

    static let shared = RunningTests()
    private let state = Mutex(State())

    func begin(_ name: String, seconds: Int) -> Int {
        let (ticket, isFirst) = state.withLock { state in
            defer { (state.next, state.isWatched) = (state.next + 1, true) }
            state.entries[state.next] = Entry(name: name, seconds: seconds, end: .now + .seconds(seconds))
            return (state.next, !state.isWatched)
        }
        if isFirst { watch() }
        return ticket
    }

    func end(_ ticket: Int) { state.withLock { $0.entries[ticket] = nil } }

    private func watch() {
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { _ in RunningTests.shared.look() }, nil)
        precondition(result == 0, "no thread for the time limit of tests: \(result)")
        pthread_detach(thread)
    }

    private func look() -> Never {
        while true {
            sleep(1)
            guard let late = state.withLock({ state in state.entries.values.first { $0.end < .now } }) else { continue }
            fatalError("\(late.name) has taken more than \(late.seconds) s")
        }
    }
}
