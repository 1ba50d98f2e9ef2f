// What the threads of a store share: the queues, their bounds, the state and the figures.
//
// Runs on: any thread.

import EventLoop
import Synchronization

/// A request to the writer.
enum WriterOrder: Sendable {
    case publish(HistoryDraft, then: @Sendable (HistoryOutcome) -> Void)
    /// Passes a read on to the reader when the file has been opened.
    case read(StoreQuery, inOrder: Bool, then: HistoryAnswer<StoredPage>)
    /// Completes what the reader has read, in the channel's order.
    case complete(StoreQuery, StoredPage, then: HistoryAnswer<StoredPage>)
    case clear([UInt8], then: HistoryAnswer<ClearedChannel>)
    case sweep(then: @Sendable () -> Void)
    /// The reader or the check has found something wrong.
    case trouble(HistoryTrouble, file: UInt64)
    case checked(isFinished: Bool, file: UInt64)
    case setOnCorrupt(DamagedFile)
    case close(then: @Sendable () -> Void)
    /// The reader has answered everything.
    case readerGone

    /// Whether it can wait for the file to be opened.
    var needsFile: Bool {
        switch self {
        case .publish, .read, .clear: true
        case .complete, .sweep, .trouble, .checked, .setOnCorrupt, .close, .readerGone: false
        }
    }

    var isPublication: Bool { if case .publish = self { true } else { false } }
}

/// A request to the reader.
enum ReaderOrder: Sendable {
    case read(StoreQuery, inOrder: Bool, then: HistoryAnswer<StoredPage>)
    case close
}

/// The way of an answer.
public typealias HistoryAnswer<Value> = @Sendable (Result<Value, HistoryFailure>) -> Void

/// What the threads of a store share.
final class HistoryShared: Sendable {
    private struct Status {
        var state = HistoryState.opening
        var figures = StoreFigures()
        var requests = 0
        var isClosing = false
    }

    let options: HistoryOptions
    let writer = Inbox<WriterOrder>()
    let reader = Inbox<ReaderOrder>()
    /// The reader's connection. The writer closes it when it closes the file.
    let readFile: Mutex<ReadFile?> = Mutex(nil)
    let report: @Sendable (HistoryNotice) -> Void
    private let status = Mutex(Status())

    init(_ options: HistoryOptions, report: @escaping @Sendable (HistoryNotice) -> Void) {
        self.options = options
        self.report = report
    }

    var state: HistoryState { status.withLock { $0.state } }
    var figures: StoreFigures { status.withLock { $0.figures } }

    func set(_ state: HistoryState) { status.withLock { $0.state = state } }
    func count(_ change: (inout StoreFigures) -> Void) { status.withLock { change(&$0.figures) } }

    /// Posts a publication, if there is room for it.
    func publish(_ draft: HistoryDraft, then: @escaping @Sendable (HistoryOutcome) -> Void) -> HistoryFailure? {
        // Posted under the lock, so that nothing comes behind the order to close.
        status.withLock { status in
            guard !status.isClosing else { return .unavailable(why: "the history is closed") }
            guard status.figures.waitingBytes + draft.cost <= options.maxQueue else {
                status.figures.overloaded += 1
                return .overloaded
            }
            status.figures.waiting += 1
            status.figures.waitingBytes += draft.cost
            writer.post(.publish(draft, then: then))
            return nil
        }
    }

    /// Posts a request besides publications, if there is room for it.
    func request(_ post: () -> Void) -> HistoryFailure? {
        status.withLock { status in
            guard !status.isClosing else { return .unavailable(why: "the history is closed") }
            guard status.requests < HistoryBounds.requests else { return .overloaded }
            status.requests += 1
            post()
            return nil
        }
    }

    /// Posts a read; before the first opening to the writer, who knows when that is.
    func read(
        _ query: StoreQuery, inOrder isInOrder: Bool, then: @escaping HistoryAnswer<StoredPage>
    ) -> HistoryFailure? {
        let isOpening = state == .opening
        return request {
            if isOpening {
                writer.post(.read(query, inOrder: isInOrder, then: then))
            } else {
                reader.post(.read(query, inOrder: isInOrder, then: then))
            }
        }
    }

    /// A request has its answer.
    func requestDone() { status.withLock { $0.requests -= 1 } }

    /// Posts the order to close, behind all others; another one is answered by the writer, too, while it runs.
    func close(then: @escaping @Sendable () -> Void) {
        let isOver = status.withLock { status in
            status.isClosing = true
            guard status.state != .closed else { return true }
            writer.post(.close(then: then))
            return false
        }
        if isOver { then() }
    }
}
