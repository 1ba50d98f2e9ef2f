// The output of a socket whose bytes come from several places or wait for a slow peer, in order.
//
// Small shared pieces are copied when they have to wait, so that a queue costs its bytes and not an object for each
// piece.

import CLinux
import DequeModule
import Glibc

/// An ordered queue of pieces of memory, with how much of the first has been sent.
final class OutputQueue {
    /// Up to this size a queue's pieces are copied side by side and sent with one `send`; more goes out with `writev`.
    static let gatherLimit = 64 << 10
    /// Shared pieces up to this size are copied into a waiting queue.
    static let copyLimit = 512
    private static let vectorLimit = 64

    enum Piece {
        case turn(TurnBuffer.Slice)
        case shared(owner: AnyObject, bytes: UnsafeRawBufferPointer)
        case own(OwnedBytes)
    }

    private var pieces: Deque<Piece> = []
    private var sentOfFirst = 0
    private var count = 0
    /// How many pieces lie in the turn buffer.
    private var turnPieces = 0
    /// Own bytes go straight into the queue and not through the turn buffer.
    var isDetached = false

    func append(_ piece: Piece) {
        count += Self.size(of: piece)
        if case .turn = piece { turnPieces += 1 }
        pieces.append(piece)
    }

    func append(copying bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    }

    /// Room for `size` bytes at the queue's end; they count as queued.
    func reserve(_ size: Int) -> UnsafeMutableRawPointer {
        count += size
        if case .own(let last)? = pieces.last, let address = last.reserve(size) { return address }
        let bytes = OwnedBytes(capacity: max(size, OwnedBytes.usualCapacity))
        pieces.append(.own(bytes))
        return bytes.reserve(size)!
    }

    /// Copies the pieces that still refer to the turn buffer, before the next turn uses it; false when the next turn
    /// uses it already.
    func keep(turn: borrowing TurnBuffer) -> Bool {
        guard turnPieces > 0 else { return true }
        for index in pieces.indices {
            guard case .turn(let slice) = pieces[index] else { continue }
            guard let bytes = turn.bytes(of: slice) else { return false }
            let copy = OwnedBytes(capacity: bytes.count)
            copy.reserve(bytes.count)!.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
            pieces[index] = .own(copy)
        }
        turnPieces = 0
        return true
    }

    /// Returned instead of a number of bytes when a piece lies in the turn buffer of a turn that is over.
    static let stale = -Int(ESTALE)

    /// Writes as many bytes as the kernel takes. Returns their number, or a negative errno when the connection is
    /// broken.
    func write(to descriptor: Int32, turn: borrowing TurnBuffer, gather: UnsafeMutableRawBufferPointer) -> Int {
        var total = 0
        while count > 0 {
            let wanted: Int
            let sent: Int
            if count <= gather.count {
                wanted = count
                sent = sendGathered(to: descriptor, turn: turn, gather: gather)
            } else {
                (wanted, sent) = sendVector(to: descriptor, turn: turn)
            }
            if sent < 0 { return sent }
            total += sent
            consume(sent)
            if sent < wanted { break }
        }
        return total
    }

    /// Writes through a TLS session. Small pieces are put side by side, because each send makes one record.
    func write(
        through session: TLSSession, to descriptor: Int32, turn: borrowing TurnBuffer,
        gather: UnsafeMutableRawBufferPointer
    ) -> Int {
        var total = 0
        while count > 0 {
            guard var piece = bytes(at: 0, turn: turn) else { return Self.stale }
            if pieces.count > 1 && piece.count < gather.count {
                guard let filled = fill(gather, turn: turn) else { return Self.stale }
                piece = filled
            }
            let sent = session.send(piece, to: descriptor)
            if sent < 0 { return sent }
            total += sent
            consume(sent)
            if sent < piece.count { break }
        }
        return total
    }

    /// Copies as many bytes from the queue's front as there is room for; nil when a piece is stale.
    private func fill(_ gather: UnsafeMutableRawBufferPointer, turn: borrowing TurnBuffer) -> UnsafeRawBufferPointer? {
        var filled = 0
        for index in pieces.indices where filled < gather.count {
            guard let piece = bytes(at: index, turn: turn)?.prefix(gather.count - filled) else { return nil }
            (gather.baseAddress! + filled).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: piece).baseAddress!, byteCount: piece.count)
            filled += piece.count
        }
        return UnsafeRawBufferPointer(rebasing: gather[..<filled])
    }

    private func sendGathered(
        to descriptor: Int32, turn: borrowing TurnBuffer, gather: UnsafeMutableRawBufferPointer
    ) -> Int {
        let whole = pieces.count == 1 ? bytes(at: 0, turn: turn) : fill(gather, turn: turn)
        return whole.map { SystemWrite.send($0, to: descriptor) } ?? Self.stale
    }

    private func sendVector(to descriptor: Int32, turn: borrowing TurnBuffer) -> (wanted: Int, sent: Int) {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.vectorLimit) { vector in
            var wanted = 0
            let used = min(pieces.count, Self.vectorLimit)
            for index in 0..<used {
                guard let piece = bytes(at: index, turn: turn) else { return (wanted, Self.stale) }
                vector[index] = iovec(piece)
                wanted += piece.count
            }
            return (wanted, SystemWrite.send(UnsafeBufferPointer(rebasing: vector[..<used]), to: descriptor))
        }
    }

    private func consume(_ sent: Int) {
        count -= sent
        var left = sent + sentOfFirst
        while let first = pieces.first, left >= Self.size(of: first) {
            left -= Self.size(of: first)
            if case .turn = first { turnPieces -= 1 }
            pieces.removeFirst()
        }
        sentOfFirst = left
    }

    /// The bytes of a piece that are left to send; nil when the piece is stale.
    private func bytes(at index: Int, turn: borrowing TurnBuffer) -> UnsafeRawBufferPointer? {
        let whole: UnsafeRawBufferPointer
        switch pieces[index] {
        case .turn(let slice):
            guard let bytes = turn.bytes(of: slice) else { return nil }
            whole = bytes
        case .shared(_, let bytes): whole = bytes
        case .own(let owned): whole = owned.bytes
        }
        return index == 0 ? UnsafeRawBufferPointer(rebasing: whole[sentOfFirst...]) : whole
    }

    private static func size(of piece: Piece) -> Int {
        switch piece {
        case .turn(let slice): slice.byteCount
        case .shared(_, let bytes): bytes.count
        case .own(let owned): owned.bytes.count
        }
    }
}

/// A piece of memory that one queue owns and fills from the front.
final class OwnedBytes {
    static let usualCapacity = 4096

    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private var count = 0

    init(capacity: Int) {
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
        guard count + size <= capacity else { return nil }
        defer { count += size }
        return base + count
    }
}
