// The thread that writes the log. A pipe without a reader, or a journal that hangs, stops this thread and no other: a thread that
// logs puts a line into a bounded queue and goes on.
//
// Runs on: a thread of its own; every other function on any thread.
// Allocates: for each entry.
// Read next: LogQueue.swift, LineLogHandler.swift.

import CLinux
import EventLoop
import Glibc
import Logging
import Synchronization

/// The place where log entries are written: a descriptor, behind a bounded queue and a thread.
public final class LogOutput: Sendable {
    /// How entries are written.
    public let format: LogFormat
    let clock: @Sendable () -> LogTime
    private let shared: LogOutputThread

    /// Begins to write to a descriptor.
    /// - Parameters:
    ///   - format: how entries are written.
    ///   - maxQueue: bytes that may wait to be written; beyond it entries are dropped and counted.
    ///   - descriptor: standard error by default; it is duplicated, and may be closed at once.
    ///   - delaysCrashes: whether a crash of the process waits up to a second until the queued lines are written. For
    ///     one output of a process.
    public convenience init(
        format: LogFormat, maxQueue: Int, descriptor: Int32 = 2, delaysCrashes: Bool = false
    ) {
        self.init(
            format: format, maxQueue: maxQueue, descriptor: descriptor, delaysCrashes: delaysCrashes, clock: LogTime.now
        )
    }

    /// An output whose entries have the clock's time.
    init(
        format: LogFormat, maxQueue: Int, descriptor: Int32, delaysCrashes: Bool = false,
        clock: @escaping @Sendable () -> LogTime
    ) {
        self.format = format
        self.clock = clock
        let shared = LogOutputThread(descriptor: descriptor, maxQueue: maxQueue) { count in
            LogEntry(
                time: clock().text, level: .warning, message: "\(count) log entries were dropped", fields: [:]
            ).line(as: format)
        }
        self.shared = shared
        _ = LoopThread(name: "perigee-log") {
            // No thread joins it: a reader of the log could put its end off for ever.
            pthread_detach(pthread_self())
            shared.run(delaysCrashes: delaysCrashes)
        }
    }

    /// Ends the thread when it has written what is queued; does not wait for it.
    deinit { shared.end() }

    /// Queues a text, which is written with one write; when the queue is full, the text is dropped and counted.
    public func write(_ text: String) { shared.offer(text) }

    /// Entries that were dropped: the queue was full, or the descriptor took none.
    public var dropped: UInt64 { shared.dropped }

    /// Waits until all lines queued by now are written; false when that took longer.
    @discardableResult
    public func flush(within limit: Duration) -> Bool { shared.flush(within: limit) }

    /// The same for several outputs, which have the time together.
    public static func flush(_ outputs: [LogOutput], within limit: Duration) {
        let end = ContinuousClock.now + limit
        for output in outputs { output.flush(within: max(.zero, ContinuousClock.now.duration(to: end))) }
    }
}

/// The state that the thread shares with the threads that log. It lives as long as the thread.
private final class LogOutputThread: Sendable {
    private struct State {
        var queue: LogQueue
        /// Entries that were taken from the queue and could not be written.
        var lost: UInt64 = 0
        var isAsleep = false
        var isOver = false
    }

    /// Milliseconds that a crash waits.
    private static let crashPatience: Int32 = 1_000

    private let state: Mutex<State>
    private let descriptor: Int32
    /// The entry that says how many were dropped.
    private let describe: @Sendable (_ gap: UInt64) -> String
    private let wakeUp = clinux_eventfd()
    /// In memory of its own, because the handler of a crash may read it, and then this memory is never given back.
    private nonisolated(unsafe) let progress: UnsafeMutablePointer<clinux_progress>

    init(descriptor: Int32, maxQueue: Int, describe: @escaping @Sendable (_ gap: UInt64) -> String) {
        state = Mutex(State(queue: LogQueue(limit: maxQueue)))
        self.describe = describe
        self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        progress = .allocate(capacity: 1)
        progress.initialize(to: clinux_progress())
    }

    deinit {
        close(wakeUp)
        if descriptor >= 0 { close(descriptor) }
        if clinux_is_awaited_before_crash(progress) == 0 { progress.deallocate() }
    }

    var dropped: UInt64 { state.withLock { $0.queue.dropped + $0.lost } }

    // MARK: Threads that log

    func offer(_ text: String) {
        update { [progress] state in
            // The gap is asked for when it begins, so that a thread that waits for the rest waits for its report, too.
            if state.queue.offer(text) { clinux_progress_ask(progress) }
        }
    }

    func flush(within limit: Duration) -> Bool {
        clinux_progress_await(progress, Int32(clamping: Int64(limit / .milliseconds(1)))) != 0
    }

    func end() {
        update { $0.isOver = true }
    }

    private func update(_ change: (inout State) -> Void) {
        let wakes = state.withLock { state in
            change(&state)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        guard wakes else { return }
        var one: UInt64 = 1
        _ = Glibc.write(wakeUp, &one, 8)
    }

    // MARK: The thread that writes

    func run(delaysCrashes: Bool) {
        if delaysCrashes { clinux_await_before_crash(progress, Self.crashPatience) }
        var unsaid = Unsaid()
        while let item = next() {
            switch item {
            case .line(let line):
                say(&unsaid)
                if !write(line, &unsaid) {
                    unsaid.entries += 1
                    state.withLock { $0.lost += 1 }
                }
            case .gap(let count):
                unsaid.entries += count
                say(&unsaid)
            }
            clinux_progress_finish(progress)
        }
    }

    /// The facts that the log does not have yet.
    private struct Unsaid {
        /// Entries that were dropped or could not be written.
        var entries: UInt64 = 0
        /// Whether the last line is without its end.
        var isCut = false
    }

    /// Says how many entries are missing, if there are any and the descriptor takes the line.
    private func say(_ unsaid: inout Unsaid) {
        if unsaid.entries > 0, write(describe(unsaid.entries), &unsaid) { unsaid.entries = 0 }
    }

    /// Waits for the next item; nil when there will be none.
    private func next() -> LogQueue.Item? {
        while true {
            let (item, isOver) = state.withLock { state in
                let item = state.queue.take()
                state.isAsleep = item == nil && !state.isOver
                return (item, state.isOver)
            }
            if let item { return item }
            if isOver { return nil }
            waitFor(wakeUp, Int16(POLLIN))
            var counter: UInt64 = 0
            _ = read(wakeUp, &counter, 8)
        }
    }

    private func waitFor(_ descriptor: Int32, _ readiness: Int16) {
        var descriptor = pollfd(fd: descriptor, events: readiness, revents: 0)
        _ = poll(&descriptor, 1, -1)
    }

    private func write(_ line: String, _ unsaid: inout Unsaid) -> Bool {
        var line = unsaid.isCut ? "\n" + line : line
        return line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if count < 0 && errno == EAGAIN {
                    waitFor(descriptor, Int16(POLLOUT))
                } else if count == 0 || errno != EINTR {
                    if rest.count < bytes.count { unsaid.isCut = true }
                    return false
                }
            }
            unsaid.isCut = false
            return true
        }
    }
}
