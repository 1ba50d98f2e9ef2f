// The file's way through failures: it is opened, fails, is tried again each second, is put away when it is damaged and the options
// say so.
//
// Runs on: the writer.
// Read next: HistoryFile.swift, HistoryTrouble.swift.

import CLinux
import Glibc
import Synchronization

/// The place where the file is, and whether it can be used.
final class FilePlace {
    private enum State {
        case open(HistoryFile)
        /// The file is open, and the last attempt to write failed; reads go on.
        case stuck(HistoryFile, HistoryTrouble)
        case shut(HistoryTrouble)
    }

    private let shared: HistoryShared
    private var options: HistoryOptions
    private var state = State.shut(HistoryTrouble(remedy: .reopen, why: "the history is being opened"))
    private var lock: FileLock?
    private var check: FileCheck?
    /// Counts the files that were opened.
    private var number: UInt64 = 0
    /// The identity of a damaged file that stays as it is.
    private var refused: FileIdentity?
    /// When to try again, in monotonic milliseconds.
    private(set) var nextTry: UInt64 = 0
    /// Until when requests wait for the first opening.
    private var patience: UInt64

    init(_ shared: HistoryShared) {
        self.shared = shared
        options = shared.options
        patience = Self.now() + HistoryBounds.lockPatience
    }

    static func now() -> UInt64 { clinux_monotonic_nanoseconds() / 1_000_000 }

    /// The file, if it can be written to.
    var writable: HistoryFile? { if case .open(let file) = state { file } else { nil } }

    /// The file, if it can be read.
    var readable: HistoryFile? {
        switch state {
        case .open(let file), .stuck(let file, _): file
        case .shut: nil
        }
    }

    /// Why the file cannot be written to.
    var failure: HistoryFailure {
        switch state {
        case .open: .unavailable(why: "")
        case .stuck(_, let trouble), .shut(let trouble): .unavailable(why: trouble.why)
        }
    }

    /// Whether the file has not been open yet and may be soon.
    var isExpected: Bool { if case .shut = state { Self.now() < patience } else { false } }

    /// Requests wait no longer.
    func loosePatience() { patience = 0 }

    func setOnCorrupt(_ choice: DamagedFile) {
        options.onCorrupt = choice
        if choice == .startOver { refused = nil }
    }

    // MARK: Failures

    /// The reader or the check has found something wrong.
    func fail(_ trouble: HistoryTrouble, file number: UInt64) {
        if number == self.number, readable != nil { fail(trouble) }
    }

    func fail(_ trouble: HistoryTrouble) {
        nextTry = Self.now() + (trouble.remedy == .wait ? HistoryBounds.lockRetry : HistoryBounds.retry)
        switch trouble.remedy {
        case .retry where readable != nil: state = .stuck(readable!, trouble)
        case .retry, .reopen, .wait: shut(trouble)
        case .replace:
            refused = FileIdentity(options.file)
            shut(trouble)
            if options.onCorrupt == .startOver { return startOver(trouble) }
        }
        guard !isExpected else { return }
        let isDamaged = trouble.remedy == .replace
        let state = isDamaged ? HistoryState.corrupt(why: trouble.why) : .unavailable(why: trouble.why)
        guard state != shared.state else { return }
        shared.set(state)
        shared.report(isDamaged ? .corrupt(why: trouble.why) : .unavailable(why: trouble.why))
    }

    /// Closes the file as it is.
    private func shut(_ trouble: HistoryTrouble) {
        stopReading()
        readable?.abandon()
        state = .shut(trouble)
    }

    private func stopReading() {
        endCheck()
        shared.readFile.withLock { file in
            file?.close()
            file = nil
        }
    }

    /// Puts the damaged file away, so that the next try begins an empty one. One damaged file is kept, the newest: a disk that
    /// damages each of them must not be filled with them.
    private func startOver(_ trouble: HistoryTrouble) {
        let kept = options.file + ".corrupt"
        guard rename(options.file, kept) == 0 else {
            return fail(HistoryTrouble(remedy: .reopen, why: "\(trouble.why), and it cannot be renamed to \(kept)"))
        }
        if rename(options.file + "-wal", kept + "-wal") != 0 { unlink(kept + "-wal") }
        unlink(options.file + "-shm")
        (refused, nextTry) = (nil, 0)
        shared.set(.unavailable(why: trouble.why))
        shared.report(.startedOver(keptAs: kept, why: trouble.why))
    }

    // MARK: The way back

    /// Opens the file, or looks whether it can be written to again, when it is time for that.
    func tryAgain() {
        if writable != nil || Self.now() < nextTry { return }
        do throws(HistoryTrouble) {
            switch state {
            case .open: break
            case .stuck(let file, _):
                try file.probe(now: options.clock())
                state = .open(file)
            case .shut(let trouble): state = .open(try open(after: trouble))
            }
        } catch {
            return fail(error)
        }
        loosePatience()
        let before = shared.state
        shared.set(.open)
        switch before {
        case .unavailable, .corrupt: shared.report(.recovered)
        case .opening, .open, .closed: break
        }
    }

    private func open(after trouble: HistoryTrouble) throws(HistoryTrouble) -> HistoryFile {
        if let refused, let found = FileIdentity(options.file), found.isSame(as: refused) { throw trouble }
        if let lock, !lock.isInPlace { self.lock = nil }
        if lock == nil { lock = try FileLock(of: options.file) }
        let file = try HistoryFile.begin(options)
        number += 1
        do throws(HistoryTrouble) {
            let reader = try ReadFile(options, generation: file.generation, number: number)
            shared.readFile.withLock { $0 = reader }
        } catch {
            file.abandon()
            throw error
        }
        refused = nil
        shared.report(
            .opened(file: options.file, isNewEpoch: file.opening.isNewEpoch, wasUnclean: file.opening.wasUnclean))
        if file.opening.wasUnclean { check = FileCheck(shared, file: number) }
        return file
    }

    // MARK: The check

    /// The check is over.
    func checked(isFinished: Bool, file number: UInt64) {
        guard number == self.number, check != nil else { return }
        endCheck()
        shared.report(isFinished ? .checked : .unchecked)
    }

    /// Gives the check up when the log has grown too long beside it.
    func boundCheck(logBytes: Int) {
        guard check != nil, logBytes > HistoryBounds.checkedLog else { return }
        endCheck()
        shared.report(.unchecked)
    }

    private func endCheck() {
        check?.stop()
        check = nil
    }

    // MARK: The end

    /// Closes the file, so that another process can open it.
    func close() {
        stopReading()
        do throws(HistoryTrouble) {
            if let file = writable { try file.close() } else { readable?.abandon() }
        } catch {
            shared.report(.unavailable(why: error.why))
        }
        state = .shut(HistoryTrouble(remedy: .reopen, why: "the history is closed"))
        lock = nil
    }
}
