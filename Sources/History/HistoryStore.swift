// The durable history of channels, in a file of SQLite. One thread writes: it takes all publications that wait, gives them their
// offsets, stores them in one transaction, and answers after the commit. So a publication that waits alone is committed at once,
// and a thousand that wait share one commit. A second thread reads.
//
// A failure of the file is an answer, too: nothing here waits for a disk that is full or a file that is locked. The store tries
// again each second, and goes on where it can.
//
// Runs on: any thread. Answers come on the store's threads, which they must not hold up.
// Allocates: for each publication.
// Read next: HistoryWriter.swift, HistoryFile.swift, HistoryReader.swift.

import EventLoop

/// A store of publications that survives the process.
public final class HistoryStore: Sendable {
    private let shared: HistoryShared
    private let writer: LoopThread
    private let reader: LoopThread

    /// Begins to open the file; publications wait until it is open, for at most two seconds.
    /// - Parameter report: gets what belongs in the log, on the store's threads.
    public init(_ options: HistoryOptions, report: @escaping @Sendable (HistoryNotice) -> Void = { _ in }) {
        let shared = HistoryShared(options, report: report)
        self.shared = shared
        writer = LoopThread(name: "perigee-history") { HistoryWriter(shared).run() }
        reader = LoopThread(name: "perigee-read") { HistoryReader.run(shared) }
    }

    /// Closes the file, and does not wait for that.
    deinit { shared.close {} }

    public var state: HistoryState { shared.state }
    public var figures: StoreFigures { shared.figures }

    /// Stores a publication.
    /// - Parameter then: gets the outcome once, after the commit, on the writer's thread. Outcomes of one channel come in the
    ///   order of their offsets; publications of one thread keep their order.
    /// - Returns: the reason why the store does not take it; then `then` is not called.
    public func publish(
        _ draft: HistoryDraft, then: @escaping @Sendable (HistoryOutcome) -> Void
    ) -> HistoryFailure? {
        shared.publish(draft, then: then)
    }

    /// Reads a part of a channel's history.
    /// - Parameters:
    ///   - isInOrder: whether the answer has its place among the channel's publications: `then` is called on the writer's thread,
    ///     the page ends with the newest publication (unless the query's bounds ended it, or its start is `before`), and every
    ///     publication whose outcome comes later follows on the page. Otherwise `then` is called on the reader's thread.
    ///   - then: gets the answer once.
    /// - Returns: the reason why the store does not try; then `then` is not called.
    public func read(
        _ query: StoreQuery, inOrder isInOrder: Bool = false, then: @escaping HistoryAnswer<StoredPage>
    ) -> HistoryFailure? {
        shared.read(query, inOrder: isInOrder, then: then)
    }

    /// Empties a channel. Its offsets go on, and its epoch stays.
    /// - Parameter then: gets the channel's position, and how many went, once, on the writer's thread, in the channel's order.
    /// - Returns: the reason why the store does not try; then `then` is not called.
    public func clear(_ channel: [UInt8], then: @escaping HistoryAnswer<ClearedChannel>) -> HistoryFailure? {
        shared.request { shared.writer.post(.clear(channel, then: then)) }
    }

    /// Says what to do with a damaged file from now on.
    public func setOnCorrupt(_ choice: DamagedFile) { shared.writer.post(.setOnCorrupt(choice)) }

    /// Commits what waits, writes all to the disk and closes the file; whatever comes later is refused.
    /// - Parameter then: called when another process can open the file, on the writer's thread or, if the store is closed, on
    ///   this one.
    public func close(then: @escaping @Sendable () -> Void = {}) { shared.close(then: then) }

    /// Closes, and waits for that. Not on a thread of the store.
    public func closeAndWait() {
        close()
        writer.join()
        reader.join()
    }

    /// Searches for what has expired now, until there is nothing more: for tests.
    func sweep(then: @escaping @Sendable () -> Void) { shared.writer.post(.sweep(then: then)) }
}
