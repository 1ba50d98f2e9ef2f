// The check of the whole file after an end that was not clean, while the server serves. It has a thread and a connection of its own:
// clients that have missed something must not wait until gigabytes are read.
//
// Runs on: a thread of its own; `stop` on the writer.

import EventLoop
import Synchronization

/// A check that runs.
final class FileCheck: Sendable {
    /// `@unchecked Sendable` because an open connection may be interrupted from any thread, and it is open while it is in `Work`.
    private struct Interruptible: @unchecked Sendable {
        let connection: Connection
    }

    private final class Work: Sendable {
        let running: Mutex<Interruptible?> = Mutex(nil)
        let isStopped = Atomic(false)
    }

    private let work = Work()
    private let thread: LoopThread

    /// Begins to check. The writer hears the result.
    init(_ shared: HistoryShared, file number: UInt64) {
        let work = work
        thread = LoopThread(name: "perigee-check") { Self.run(work, shared, number) }
    }

    /// Ends the check, and waits until its connection is closed.
    func stop() {
        work.isStopped.store(true, ordering: .sequentiallyConsistent)
        work.running.withLock { $0?.connection.interrupt() }
        thread.join()
    }

    private static func run(_ work: Work, _ shared: HistoryShared, _ number: UInt64) {
        let options = shared.options
        do throws(SQLiteFailure) {
            let connection = try Connection(options.file, .readOnly)
            let running = Interruptible(connection: connection)
            work.running.withLock { $0 = running }
            defer {
                work.running.withLock { $0 = nil }
                connection.close()
            }
            guard !work.isStopped.load(ordering: .sequentiallyConsistent) else { return }
            let result = try connection.first("PRAGMA quick_check(1)") ?? "no result"
            if result == "ok" {
                shared.writer.post(.checked(isFinished: true, file: number))
            } else if !work.isStopped.load(ordering: .sequentiallyConsistent) {
                shared.writer.post(.trouble(.damaged(options.file, result), file: number))
            }
        } catch {
            guard !work.isStopped.load(ordering: .sequentiallyConsistent) else { return }
            let trouble = HistoryTrouble(error, file: options.file, maxFile: options.maxFile)
            if trouble.remedy == .replace {
                shared.writer.post(.trouble(trouble, file: number))
            } else {
                shared.writer.post(.checked(isFinished: false, file: number))
            }
        }
    }
}
