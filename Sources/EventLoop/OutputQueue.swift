// The output of a socket whose bytes come from several places or wait for a slow peer, in order.
//
// Small shared pieces are copied when they have to wait, so that a queue costs what its bytes say and not an object for each.

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
        case turn(offset: Int, count: Int)
        case shared(owner: AnyObject, bytes: UnsafeRawBufferPointer)
        case own(OwnedBytes)
    }

    private var pieces: Deque<Piece> = []
    private var sentOfFirst = 0
    private var count = 0
    /// Own bytes go straight into the queue and not through the turn buffer.
    var isDetached = false

    func append(_ piece: Piece) {
        count += Self.size(of: piece)
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

    /// Copies what still refers to the turn buffer, which is about to be used for the next turn.
    func keep(turn: borrowing TurnBuffer) {
        for index in pieces.indices {
            guard case .turn(let offset, let length) = pieces[index] else { continue }
            let copy = OwnedBytes(capacity: length)
            copy.reserve(length)!.copyMemory(
                from: turn.bytes(at: offset, count: length).baseAddress!, byteCount: length)
            pieces[index] = .own(copy)
        }
    }

    /// Writes as much as the kernel takes; answers how many bytes, or a negative errno when the connection is broken.
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

    /// The same through a session. Small pieces are put side by side, because each send is a record of its own.
    func write(
        through session: TLSSession, to descriptor: Int32, turn: borrowing TurnBuffer,
        gather: UnsafeMutableRawBufferPointer
    ) -> Int {
        var total = 0
        while count > 0 {
            var piece = bytes(at: 0, turn: turn)
            if pieces.count > 1 && piece.count < gather.count { piece = fill(gather, turn: turn) }
            let sent = session.send(piece, to: descriptor)
            if sent < 0 { return sent }
            total += sent
            consume(sent)
            if sent < piece.count { break }
        }
        return total
    }

    /// Copies from the queue's front as much as there is room for.
    private func fill(_ gather: UnsafeMutableRawBufferPointer, turn: borrowing TurnBuffer) -> UnsafeRawBufferPointer {
        var filled = 0
        for index in pieces.indices where filled < gather.count {
            let piece = bytes(at: index, turn: turn).prefix(gather.count - filled)
            (gather.baseAddress! + filled).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: piece).baseAddress!, byteCount: piece.count)
            filled += piece.count
        }
        return UnsafeRawBufferPointer(rebasing: gather[..<filled])
    }

    private func sendGathered(
        to descriptor: Int32, turn: borrowing TurnBuffer, gather: UnsafeMutableRawBufferPointer
    ) -> Int {
        if pieces.count == 1 { return Socket.send(bytes(at: 0, turn: turn), to: descriptor) }
        var filled = 0
        for index in pieces.indices {
            let piece = bytes(at: index, turn: turn)
            (gather.baseAddress! + filled).copyMemory(from: piece.baseAddress!, byteCount: piece.count)
            filled += piece.count
        }
        return Socket.send(UnsafeRawBufferPointer(rebasing: gather[0..<filled]), to: descriptor)
    }

    private func sendVector(to descriptor: Int32, turn: borrowing TurnBuffer) -> (wanted: Int, sent: Int) {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.vectorLimit) { vector in
            var wanted = 0
            let used = min(pieces.count, Self.vectorLimit)
            for index in 0..<used {
                let piece = bytes(at: index, turn: turn)
                vector[index] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress!), iov_len: piece.count)
                wanted += piece.count
            }
            return (wanted, Self.send(UnsafeBufferPointer(rebasing: vector[..<used]), to: descriptor))
        }
    }

    /// One `writev`; 0 when the kernel has no room, negative when the connection is broken.
    static func send(_ vector: UnsafeBufferPointer<iovec>, to descriptor: Int32) -> Int {
        while true {
            let sent = clinux_send_vector(descriptor, vector.baseAddress!, vector.count)
            if sent >= 0 { return sent }
            if sent == -Int(EAGAIN) { return 0 }
            if sent != -Int(EINTR) { return sent }
        }
    }

    private func consume(_ sent: Int) {
        count -= sent
        var left = sent + sentOfFirst
        while let first = pieces.first, left >= Self.size(of: first) {
            left -= Self.size(of: first)
            pieces.removeFirst()
        }
        sentOfFirst = left
    }

    private func bytes(at index: Int, turn: borrowing TurnBuffer) -> UnsafeRawBufferPointer {
        let whole: UnsafeRawBufferPointer
        switch pieces[index] {
        case .turn(let offset, let count): whole = turn.bytes(at: offset, count: count)
        case .shared(_, let bytes): whole = bytes
        case .own(let owned): whole = owned.bytes
        }
        return index == 0 ? UnsafeRawBufferPointer(rebasing: whole[sentOfFirst...]) : whole
    }

    private static func size(of piece: Piece) -> Int {
        switch piece {
        case .turn(_, let count): count
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
