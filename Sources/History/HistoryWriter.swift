// The thread that writes: takes what waits, commits it together, and does the work of quiet moments.
//
// Runs on: a thread of its own.
// Read next: FilePlace.swift, HistoryFile.swift.

import EventLoop

/// The writer's state.
final class HistoryWriter {
    private let shared: HistoryShared
    private let place: FilePlace
    private var batch = Batch()
    /// What waits for the file to be opened for the first time.
    private var held: [WriterOrder] = []

    private var nextSweep: UInt64 = 0
    private var isSweeping = false
    /// Rows that were added since the last step of a sweep.
    private var rows = 0
    private var sweepsAwaited: [@Sendable () -> Void] = []
    /// When to look whether the file still is where it was.
    private var nextLook: UInt64 = 0

    private var isClosed = false
    private var isReaderGone = false
    private var closings: [@Sendable () -> Void] = []

    init(_ shared: HistoryShared) {
        self.shared = shared
        place = FilePlace(shared)
    }

    func run() {
        while !isClosed || !isReaderGone {
            if !isClosed { place.tryAgain() }
            if !held.isEmpty && !place.isExpected { releaseHeld() }
            let orders = shared.writer.wait(atMost: pause())
            for order in orders { take(order) }
            commit()
            if !isClosed { doQuietWork(isIdle: orders.isEmpty) }
        }
        shared.set(.closed)
        shared.report(.closed)
        // Orders to close may have come until now.
        for order in shared.writer.wait(atMost: 0) { take(order) }
        for then in closings { then() }
    }

    /// Milliseconds until there is something to do besides orders.
    private func pause() -> Int32 {
        guard !isClosed else { return -1 }
        let now = FilePlace.now()
        let next = place.writable == nil ? place.nextTry : isSweeping ? 0 : nextSweep
        return next <= now ? 0 : Int32(min(next - now, 60_000))
    }

    // MARK: Orders

    private func take(_ order: WriterOrder) {
        if order.needsFile && place.isExpected { return held.append(order) }
        if !order.isPublication { commit() }
        switch order {
        case .publish(let draft, let then):
            if batch.isFull { commit() }
            batch.add(draft, then)
        case .read(let query, let isInOrder, let then):
            shared.reader.post(.read(query, inOrder: isInOrder, then: then))
        case .complete(let query, let page, let then):
            answer(then, place.readable) { file throws(HistoryTrouble) in
                try file.complete(page, of: query, now: shared.options.clock())
            }
        case .clear(let channel, let then):
            answer(then, place.writable) { file throws(HistoryTrouble) in
                try file.clear(channel, now: shared.options.clock())
            }
        case .sweep(let then):
            isSweeping = true
            sweepsAwaited.append(then)
        case .trouble(let trouble, let file): place.fail(trouble, file: file)
        case .checked(let isFinished, let file): place.checked(isFinished: isFinished, file: file)
        case .setOnCorrupt(let choice): place.setOnCorrupt(choice)
        case .close(let then):
            closings.append(then)
            close()
        case .readerGone: isReaderGone = true
        }
    }

    private func answer<Value>(
        _ then: HistoryAnswer<Value>, _ file: HistoryFile?, _ body: (HistoryFile) throws(HistoryTrouble) -> Value
    ) {
        let result: Result<Value, HistoryFailure>
        do throws(HistoryTrouble) {
            result = if let file { .success(try body(file)) } else { .failure(place.failure) }
        } catch {
            place.fail(error)
            result = .failure(place.failure)
        }
        shared.requestDone()
        then(result)
    }

    /// Stores the batch, and answers.
    private func commit() {
        guard !batch.isEmpty else { return }
        let (drafts, answers, bytes) = batch.take()
        let outcomes = store(drafts)
        shared.count { figures in
            figures.waiting -= drafts.count
            figures.waitingBytes -= bytes
            figures.add(outcomes)
            if let file = place.writable { (figures.trimmed, figures.logBytes) = (file.trimmed, file.logBytes) }
        }
        for (then, outcome) in zip(answers, outcomes) { then(outcome) }
    }

    private func store(_ drafts: [HistoryDraft]) -> [HistoryOutcome] {
        guard let file = place.writable else { return drafts.map { _ in .failed(place.failure) } }
        do throws(HistoryTrouble) {
            let now = FilePlace.now()
            if now >= nextLook {
                nextLook = now + HistoryBounds.retry
                try file.checkPlace()
            }
            rows += drafts.count
            return try file.publish(drafts, now: shared.options.clock())
        } catch {
            place.fail(error)
            return drafts.map { _ in .failed(.unavailable(why: error.why)) }
        }
    }

    private func releaseHeld() {
        place.loosePatience()
        let orders = held
        held = []
        for order in orders { take(order) }
        commit()
    }

    private func close() {
        guard !isClosed else { return }
        releaseHeld()
        isClosed = true
        place.close()
        sweepDone()
        shared.reader.post(.close)
    }

    // MARK: Quiet moments

    private func doQuietWork(isIdle: Bool) {
        guard let file = place.writable else { return sweepDone() }
        do throws(HistoryTrouble) {
            let now = FilePlace.now()
            if now >= nextSweep {
                (isSweeping, nextSweep) = (true, now + HistoryBounds.sweepInterval)
                if isIdle { try file.copyLog() }
                shared.count { $0.fileBytes = file.fileBytes }
            }
            if isSweeping {
                // At least as many rows as have come, so that what is stored cannot outgrow what expires.
                isSweeping = try file.sweep(now: shared.options.clock(), rows: max(HistoryBounds.sweepRows, rows))
                rows = 0
                shared.count { $0.trimmed = file.trimmed }
                if !isSweeping { sweepDone() }
            }
            if try file.checkpoint(isIdle: isIdle || shared.writer.isEmpty) { shared.count { $0.checkpoints += 1 } }
            place.boundCheck(logBytes: file.logBytes)
        } catch {
            place.fail(error)
        }
    }

    private func sweepDone() {
        isSweeping = false
        let awaited = sweepsAwaited
        sweepsAwaited = []
        for then in awaited { then() }
    }
}

/// Publications that are stored in one transaction.
private struct Batch {
    private var drafts: [HistoryDraft] = []
    private var answers: [@Sendable (HistoryOutcome) -> Void] = []
    private var bytes = 0

    var isEmpty: Bool { drafts.isEmpty }
    var isFull: Bool { drafts.count >= HistoryBounds.batchCount || bytes >= HistoryBounds.batchBytes }

    mutating func add(_ draft: HistoryDraft, _ then: @escaping @Sendable (HistoryOutcome) -> Void) {
        drafts.append(draft)
        answers.append(then)
        bytes += draft.cost
    }

    mutating func take() -> ([HistoryDraft], [@Sendable (HistoryOutcome) -> Void], Int) {
        defer { self = Batch() }
        return (drafts, answers, bytes)
    }
}
