// The cost of a stored publication: how many a second, the CPU of the whole process for each, and the bytes of the file.

import Glibc
import History
import Synchronization

/// One measurement: a sync mode, and a number of publications that wait at any time.
final class Measurement: Sendable {
    private let file: String
    private let sync: HistorySync
    private let window: Int
    private let seconds: Int
    /// One for each publication that may wait.
    private let places: Places
    private let stored = Atomic(0)

    init(folder: String, sync: HistorySync, window: Int, seconds: Int) {
        file = "\(folder)/measured-\(sync.rawValue)-\(window).db"
        (self.sync, self.window, self.seconds) = (sync, window, seconds)
        places = Places(window)
    }

    func run() {
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink(file + suffix) }
        var options = HistoryOptions(file: file)
        options.sync = sync
        let openings = Places(0)
        let store = HistoryStore(options) { notice in
            if case .opened = notice { openings.give() }
        }
        let body = [UInt8](repeating: 97, count: 256)
        let names = (0..<100).map { Array("channel-\($0)".utf8) }
        let limits = HistoryLimits(size: 10_000_000, age: 86_400_000)
        openings.take()
        let (begin, cpu) = (ContinuousClock.now, Self.cpuSeconds())
        var count = 0
        while ContinuousClock.now < begin + .seconds(seconds) {
            places.take()
            let draft = HistoryDraft(channel: names[count % names.count], limits: limits, body: body)
            _ = store.publish(draft) { [self] outcome in
                if case .stored = outcome { stored.add(1, ordering: .relaxed) }
                places.give()
            }
            count += 1
        }
        let time = (ContinuousClock.now - begin) / .seconds(1)
        let spent = Self.cpuSeconds() - cpu
        let total = stored.load(ordering: .relaxed)
        let commits = store.figures.commits
        store.closeAndWait()
        var status = stat()
        stat(file, &status)
        let each = 1e6 * spent / Double(max(1, total))
        print(
            "\(sync.rawValue) waiting \(window): \(Int(Double(total) / time)) a second, \((each * 10).rounded() / 10) us CPU each, "
                + "\(total / max(1, Int(commits))) a commit, \(Int(status.st_size) / max(1, total)) bytes each")
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(0, &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}
