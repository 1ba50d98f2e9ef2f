// A backend: one keep-alive connection to the admin API with pushes in flight on it, and the search for text in responses.
//
// Read next: ../Scenarios/PushScenarios.swift.

import CLinux
import EventLoop
import Glibc

/// Pushes messages to a channel.
final class Publisher: Socket {
    /// A whole request; its body begins with the time stamp.
    private var request: [UInt8]
    private let bodyStart: Int
    private var responses: [UInt8] = []
    /// How many pushes wait for their response.
    private(set) var inFlight = 0
    /// Called with each response: the number of subscribers that matched, or the reason for a refusal.
    private let answered: (Publisher, Result<Int, BenchError>) -> Void

    init(
        _ server: ServerUnderTest, channel: String, size: Int, on loop: EventLoop,
        answered: @escaping (Publisher, Result<Int, BenchError>) -> Void
    ) throws(BenchError) {
        guard let admin = server.admin else { throw BenchError("fan-out publishes by HTTP: --admin says where") }
        var head = "POST /v1/channels/\(channel)/messages HTTP/1.1\r\nHost: \(admin)\r\nContent-Length: \(size)\r\n"
        if let key = server.key { head += "Authorization: Bearer \(key)\r\n" }
        request = Array((head + "\r\n").utf8)
        bodyStart = request.count
        request += [UInt8](repeating: UInt8(ascii: "x"), count: size)
        self.answered = answered
        super.init(descriptor: try Dial.connect(to: admin), peer: admin, on: loop)
    }

    /// Pushes one message, stamped with the current time.
    func publish() {
        inFlight += 1
        write(count: request.count) { address in
            request.withUnsafeBytes { address.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            MessageStamp.write(clinux_monotonic_nanoseconds(), to: address + bodyStart)
        }
    }

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        responses.append(contentsOf: bytes)
        var outcomes: [Result<Int, BenchError>] = []
        let used = responses.withUnsafeBytes { bytes in
            var start = 0
            while let (outcome, end) = Self.firstResponse(of: bytes, from: start) {
                outcomes.append(outcome)
                start = end
            }
            return start
        }
        responses.removeFirst(used)
        inFlight -= outcomes.count
        for outcome in outcomes { answered(self, outcome) }
    }

    /// The outcome and the end of the response that begins at `start`; nil until all of it has arrived.
    private static func firstResponse(
        of bytes: UnsafeRawBufferPointer, from start: Int
    ) -> (Result<Int, BenchError>, end: Int)? {
        guard let headEnd = bytes.place(of: "\r\n\r\n", from: start),
            let length = bytes.number(after: "Content-Length: ", in: start..<headEnd)
                ?? bytes.number(after: "content-length: ", in: start..<headEnd),
            bytes.count - headEnd - 4 >= length
        else { return nil }
        let body = headEnd + 4..<headEnd + 4 + length
        if bytes.place(of: "HTTP/1.1 200 ", from: start) == start,
            let matched = bytes.number(after: "\"matched\":", in: body)
        {
            return (.success(matched), body.upperBound)
        }
        let line = String(decoding: bytes[start..<headEnd].prefix { $0 != 0x0D }, as: UTF8.self)
        let text = String(decoding: bytes[body], as: UTF8.self)
        return (.failure(BenchError("the admin API answered a push with \(line) \(text)")), body.upperBound)
    }

    override func didClose() {
        answered(self, .failure(BenchError("the admin API closed the connection; does it listen there?")))
    }
}

extension UnsafeRawBufferPointer {
    /// The first place of `part`, from `start` on.
    func place(of part: StaticString, from start: Int = 0) -> Int? {
        guard let base = baseAddress else { return nil }
        var place = start
        while place + part.utf8CodeUnitCount <= count,
            let found = memchr(base + place, Int32(part.utf8Start[0]), count - place)
        {
            place = UnsafeRawPointer(found) - base
            guard place + part.utf8CodeUnitCount <= count else { return nil }
            if memcmp(found, part.utf8Start, part.utf8CodeUnitCount) == 0 { return place }
            place += 1
        }
        return nil
    }

    /// The whole number that follows `label`, both within `range`.
    func number(after label: StaticString, in range: Range<Int>) -> Int? {
        let part = UnsafeRawBufferPointer(rebasing: self[range])
        guard let place = part.place(of: label) else { return nil }
        let digits = part[(place + label.utf8CodeUnitCount)...].prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
