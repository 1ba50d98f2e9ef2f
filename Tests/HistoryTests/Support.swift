// A store as tests use it: each call waits for its answer, for a bounded time.

import EventLoop
import Glibc
import SeededGenerator
import Testing

@testable import History

/// A folder that is removed with all that lies in it.
final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/perigee-history-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { _ = shell("rm -rf '\(path)'") }

    var file: String { path + "/history.db" }
}

/// Runs a line in `/bin/sh`; answers its exit status.
@discardableResult
func shell(_ line: String) -> Int32 {
    let result = system(line)
    return result == -1 ? -1 : result >> 8
}

struct NoAnswer: Error {}

/// A clock that tests move, in milliseconds.
final class ManualClock: Sendable {
    private let time: Box<Int64> = Box(1_000_000)
    var now: Int64 { time.value }
    func advance(_ milliseconds: Int64) { time.value += milliseconds }
}

/// A store, and calls that wait.
final class Store {
    static let limits = HistoryLimits(size: 100, age: 1_000_000)
    let store: HistoryStore
    let notices = Inbox<HistoryNotice>()

    init(
        _ file: String, sync: HistorySync = .normal, clock: ManualClock? = nil,
        _ change: (inout HistoryOptions) -> Void = { _ in }
    ) {
        var options = HistoryOptions(file: file)
        options.sync = sync
        if let clock { options.clock = { clock.now } }
        change(&options)
        store = HistoryStore(options) { [notices] in notices.post($0) }
    }

    func publish(
        _ channel: String, _ text: String, _ limits: HistoryLimits = Store.limits, key: IdempotencyKey? = nil
    ) throws -> HistoryOutcome {
        let draft = HistoryDraft(
            channel: Array(channel.utf8), limits: limits, flags: 7, note: [1, 2], body: Array(text.utf8),
            idempotency: key)
        return try wait { then in store.publish(draft) { then(.success($0)) } }
    }

    func read(
        _ channel: String, _ start: StoreQuery.Start = .after(0), count: Int = 1_000, bytes: Int = 1 << 20,
        within limits: HistoryLimits = Store.limits, inOrder: Bool = false
    ) throws -> StoredPage {
        let query = StoreQuery(channel: Array(channel.utf8), limits: limits, start: start, count: count, bytes: bytes)
        return try wait { then in store.read(query, inOrder: inOrder, then: then) }
    }

    func clear(_ channel: String) throws -> ClearedChannel {
        try wait { then in store.clear(Array(channel.utf8), then: then) }
    }

    func sweep() throws {
        let _: Bool = try wait { then in
            store.sweep { then(.success(true)) }
            return nil
        }
    }

    /// Waits until a notice comes that the condition accepts.
    func notice(_ isWanted: (HistoryNotice) -> Bool) throws {
        while true {
            let found = notices.wait(atMost: 60_000)
            guard !found.isEmpty else { throw NoAnswer() }
            if found.contains(where: isWanted) { return }
        }
    }

    private func wait<Value: Sendable>(
        _ body: (@escaping @Sendable (Result<Value, HistoryFailure>) -> Void) -> HistoryFailure?
    ) throws -> Value {
        let answers = Inbox<Result<Value, HistoryFailure>>()
        if let failure = body({ answers.post($0) }) { throw failure }
        guard let answer = answers.wait(atMost: 60_000).first else { throw NoAnswer() }
        return try answer.get()
    }
}

extension StoredPage {
    var texts: [String] { publications.map { String(decoding: $0.body, as: UTF8.self) } }
}

extension HistoryOutcome {
    var position: HistoryPosition? {
        switch self {
        case .stored(let position, _), .repeated(let position): position
        case .failed: nil
        }
    }

    var why: String? { if case .failed(.unavailable(let why)) = self { why } else { nil } }
}
