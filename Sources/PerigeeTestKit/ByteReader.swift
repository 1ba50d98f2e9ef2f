// ByteReader: reads a non-blocking descriptor, socket or pipe, to a count, a delimiter or the end, each with a deadline. Bytes
// that were read and not requested stay here for the next call.
//
// Read next: RawSocket.swift, ChildProcess.swift.

import Glibc

/// The moment by which a blocking call of the kit must be done. Every wait is a `poll` with the time that is left, so a test that
/// would hang fails, and no test sleeps.
struct Deadline {
    private let moment: ContinuousClock.Instant

    init(after timeout: Duration) {
        moment = ContinuousClock.now + timeout
    }

    /// The time that is left, as `poll` takes it: whole milliseconds, rounded up; 0 once the moment has passed.
    private var milliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: moment).components
        guard left.seconds >= 0, left.attoseconds >= 0 else { return 0 }
        let seconds = min(left.seconds, 1_000_000)
        return Int32(seconds * 1000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// Waits until `descriptor` has one of `events` (or an error, which the next call on it reports); false when the deadline
    /// comes first.
    func wait(for events: Int32, on descriptor: Int32) throws(ClientError) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let ready = poll(&entry, 1, milliseconds)
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { throw .system(call: "poll", code: errno) }
        }
    }
}

/// A buffered reader of a descriptor that its owner closes.
final class ByteReader {
    /// The owner sets it to -1 when it closes the descriptor, so that a later read fails and never meets a reused number.
    var descriptor: Int32
    /// Decrypts the bytes that are read; nil on a plain connection.
    var tls: TLSClient?
    private var buffer: [UInt8] = []
    private var start = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Bytes that have been read from the descriptor and not yet returned.
    var unread: ArraySlice<UInt8> { buffer[start...] }

    /// The next `count` bytes.
    func read(count: Int, for wanted: String, by deadline: Deadline) throws(ClientError) -> [UInt8] {
        while unread.count < count {
            guard try fill(for: wanted, by: deadline) else { throw .ended(waitingFor: wanted, got: Array(unread)) }
        }
        return take(count)
    }

    /// The bytes up to and including the next `delimiter`; more than `limit` bytes are a violation.
    func read(
        until delimiter: [UInt8], limit: Int, for wanted: String, by deadline: Deadline
    ) throws(ClientError) -> [UInt8] {
        var searched = 0
        while true {
            if let end = endOfFirst(delimiter, from: start + searched) { return take(end - start) }
            guard unread.count <= limit else { throw .violation("more than \(limit) bytes before \(wanted)") }
            searched = max(0, unread.count - delimiter.count + 1)
            guard try fill(for: wanted, by: deadline) else { throw .ended(waitingFor: wanted, got: Array(unread)) }
        }
    }

    /// All bytes until the peer ends the stream.
    func readToEnd(for wanted: String, by deadline: Deadline) throws(ClientError) -> [UInt8] {
        while try fill(for: wanted, by: deadline) {}
        return take(unread.count)
    }

    /// The bytes that have already arrived; never waits.
    func readAvailable() -> [UInt8] {
        let now = Deadline(after: .zero)
        while let more = try? fill(for: "bytes that have arrived", by: now), more {}
        return take(unread.count)
    }

    /// Reads into the buffer; false at the end of the stream.
    private func fill(for wanted: String, by deadline: Deadline) throws(ClientError) -> Bool {
        guard let tls else {
            guard let bytes = try readEncrypted(for: wanted, by: deadline) else { return false }
            buffer += bytes
            return true
        }
        while true {
            let plain = try tls.decrypt()
            buffer += plain
            if !plain.isEmpty { return true }
            if tls.hasEnded { return false }
            guard let bytes = try readEncrypted(for: wanted, by: deadline) else { return false }
            tls.feed(bytes)
        }
    }

    /// The next bytes of the descriptor, not decrypted; nil at the end of the stream.
    func readEncrypted(for wanted: String, by deadline: Deadline) throws(ClientError) -> ArraySlice<UInt8>? {
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count >= 0 { return count > 0 ? chunk[..<count] : nil }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                guard try deadline.wait(for: POLLIN, on: descriptor) else {
                    throw .deadline(waitingFor: wanted, got: Array(unread))
                }
            case ECONNRESET:
                throw .reset(waitingFor: wanted, got: Array(unread))
            default:
                throw .system(call: "read", code: errno)
            }
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        let taken = Array(buffer[start..<start + count])
        start += count
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 1 << 20 {
            buffer.removeFirst(start)
            start = 0
        }
        return taken
    }

    private func endOfFirst(_ delimiter: [UInt8], from index: Int) -> Int? {
        guard buffer.count - index >= delimiter.count else { return nil }
        for candidate in index...(buffer.count - delimiter.count) where buffer[candidate] == delimiter[0] {
            if buffer[candidate..<candidate + delimiter.count].elementsEqual(delimiter) {
                return candidate + delimiter.count
            }
        }
        return nil
    }
}
