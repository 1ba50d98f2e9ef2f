// ByteReader: reads a non-blocking descriptor, socket or pipe, to a count, a delimiter or the end, each with a deadline.
// What was read and not asked for stays here for the next call.
//
// Read next: RawSocket.swift, ChildProcess.swift

import Glibc

/// A buffered, deadline-bound reader over a descriptor that somebody else owns and closes.
final class ByteReader {
    /// Set to -1 by the owner when it closes it, so that a later read fails and never meets a reused number.
    var descriptor: Int32
    /// What decrypts what is read.
    var tls: TLSClient?
    private var buffer: [UInt8] = []
    private var start = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// What has been read from the descriptor and not yet been handed out.
    var unread: ArraySlice<UInt8> { buffer[start...] }

    /// The next `count` bytes.
    func read(count: Int, for wanted: String, by deadline: Deadline) throws(ClientError) -> [UInt8] {
        while unread.count < count {
            guard try fill(for: wanted, by: deadline) else { throw .ended(waitingFor: wanted, got: Array(unread)) }
        }
        return take(count)
    }

    /// Everything up to and including the next `delimiter`, refused when that is longer than `limit` bytes.
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

    /// Everything until the peer ends the stream.
    func readToEnd(for wanted: String, by deadline: Deadline) throws(ClientError) -> [UInt8] {
        while try fill(for: wanted, by: deadline) {}
        return take(unread.count)
    }

    /// Whatever has come already; never waits.
    func readAvailable() -> [UInt8] {
        let now = Deadline(after: .zero)
        while let more = try? fill(for: "what is there already", by: now), more {}
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

    /// The next bytes of the descriptor, as they are; nil at the end of the stream.
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
