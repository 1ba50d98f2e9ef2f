// The publications of one channel that are kept: a contiguous run up to the last position, or that position alone. It is a value
// without clock, lock or I/O: its owner gives it the time, and trims it by size and age.
//
// Allocates: for each publication its place in a ring, which grows to the size of the channel's history.
// Read next: MemoryHistory.swift, Joining.swift.

import DequeModule
import WebSocket

/// The kept publications of a channel, and the position of its last one.
public struct ChannelWindow: Sendable {
    /// A kept publication; its offset follows from its place.
    private struct Kept: Sendable {
        let frame: Frame
        let key: String?
        let exclude: SubscriberID?
        /// When it was published, in milliseconds since 1970.
        let at: UInt64
    }

    /// Bytes that a publication costs besides its frame: its place here, and the blocks of its frame and key.
    public static let overhead = 128

    public let channel: Channel
    /// The position of the last publication, kept or not; its offset is 0 before the first.
    public private(set) var position: StreamPosition
    private var kept: Deque<Kept> = []
    /// Bytes that the kept publications cost.
    public private(set) var byteCount = 0

    public init(_ channel: Channel, epoch: UInt64) {
        self.channel = channel
        position = StreamPosition(offset: 0, epoch: epoch)
    }

    /// The number of publications that are kept.
    public var count: Int { kept.count }
    /// The offset of the first publication that is kept, or of the next one when none is.
    public var firstOffset: UInt64 { position.offset - UInt64(kept.count) + 1 }

    // MARK: Adding and trimming

    /// Takes the next publication, and answers its position.
    public mutating func append(_ draft: Draft, at time: UInt64) -> StreamPosition {
        position.offset += 1
        kept.append(Kept(frame: draft.frame, key: draft.key, exclude: draft.exclude, at: time))
        byteCount += Self.cost(of: draft.frame)
        return position
    }

    /// Forgets the oldest publication; false when none is kept.
    @discardableResult
    public mutating func dropFirst() -> Bool {
        guard let first = kept.popFirst() else { return false }
        byteCount -= Self.cost(of: first.frame)
        return true
    }

    /// Forgets the oldest publications beyond a number, and those that are older than a time.
    public mutating func trim(size: Int, before time: UInt64) {
        while kept.count > size || kept.first.map({ $0.at <= time }) == true { dropFirst() }
    }

    /// Forgets every publication; the position stays.
    public mutating func clear() {
        kept = []
        byteCount = 0
    }

    private static func cost(of frame: Frame) -> Int { frame.count + overhead }

    // MARK: Asking

    /// The offsets behind a position, perhaps none, or the reason why they are not all here.
    public func since(_ place: RecoveryPlace, _ limits: ChannelOptions.MissedLimits) -> Missed {
        if let epoch = place.epoch, epoch != position.epoch { return .unrecovered(.epoch) }
        guard place.offset <= position.offset else { return .unrecovered(.ahead) }
        guard place.offset + 1 >= firstOffset else { return .unrecovered(.trimmed) }
        let offsets = place.offset + 1..<position.offset + 1
        return fits(offsets, limits) ? .offsets(offsets) : .unrecovered(.limit)
    }

    /// The offsets of the newest publications, at most `count`, within the limits.
    public func newest(_ count: Int, _ limits: ChannelOptions.MissedLimits) -> Range<UInt64> {
        let count = min(count, kept.count, limits.missed)
        var (first, bytes) = (position.offset + 1, 0)
        for index in (kept.count - count..<kept.count).reversed() {
            bytes += kept[index].frame.count
            guard bytes <= limits.missedBytes else { break }
            first -= 1
        }
        return first..<position.offset + 1
    }

    private func fits(_ offsets: Range<UInt64>, _ limits: ChannelOptions.MissedLimits) -> Bool {
        guard offsets.count <= limits.missed else { return false }
        var bytes = 0
        for offset in offsets { bytes += kept[index(of: offset)].frame.count }
        return bytes <= limits.missedBytes
    }

    private func index(of offset: UInt64) -> Int { Int(offset - firstOffset) }

    /// A kept publication.
    public func publication(at offset: UInt64) -> Publication {
        let one = kept[index(of: offset)]
        return Publication(
            channel: channel, frame: one.frame, exclude: one.exclude,
            position: StreamPosition(offset: offset, epoch: position.epoch), key: one.key)
    }

    /// One page of the kept publications.
    public func page(_ query: HistoryQuery) -> HistoryPage {
        var page = HistoryPage(position: position, count: count, byteCount: byteCount)
        if let since = query.since {
            if let epoch = since.epoch, epoch != position.epoch { page.why = .epoch }
            if since.offset > position.offset { page.why = .ahead }
            // Backwards, the page begins below the place, and what is gone lies behind it.
            if !query.isReversed, since.offset + 1 < firstOffset { page.why = .trimmed }
            if page.why == .epoch || page.why == .ahead { return page }
        }
        let all = firstOffset..<position.offset + 1
        var offsets: [UInt64]
        if query.isReversed {
            let end = max(all.lowerBound, min(all.upperBound, query.since?.offset ?? .max))
            offsets = (all.lowerBound..<end).suffix(query.limit).reversed()
        } else {
            let start = min(all.upperBound, max(all.lowerBound, query.since.map { $0.offset + 1 } ?? 0))
            offsets = Array((start..<all.upperBound).prefix(query.limit))
        }
        var bytes = 0
        for offset in offsets {
            bytes += kept[index(of: offset)].frame.count
            // The first is always there, so that a reader gets on.
            if bytes > query.byteLimit, !page.items.isEmpty { break }
            page.items.append(.init(publication(at: offset), at: kept[index(of: offset)].at))
        }
        page.hasMore = page.items.count < offsets.count || moreBehind(page.items.last, query, all)
        return page
    }

    private func moreBehind(_ last: HistoryPage.Item?, _ query: HistoryQuery, _ all: Range<UInt64>) -> Bool {
        guard let offset = last?.publication.position?.offset else { return false }
        return query.isReversed ? offset > all.lowerBound : offset + 1 < all.upperBound
    }
}
