// The backend of a fan-out: one keep-alive connection to the admin API, and the search for text in its responses.
//
// Read next: ../Scenarios/FanoutScenario.swift.

import CLinux
import EventLoop

/// Pushes messages to a channel.
final class Publisher: Socket {
    private let head: [UInt8]
    private let size: Int
    private var answer: [UInt8] = []
    private(set) var isWaiting = false
    /// Called with each response: the number of subscribers that matched, or the reason for a refusal.
    private let answered: (Result<Int, BenchError>) -> Void

    init(
        _ server: ServerUnderTest, channel: String, size: Int, on loop: EventLoop,
        answered: @escaping (Result<Int, BenchError>) -> Void
    ) throws(BenchError) {
        guard let admin = server.admin else { throw BenchError("fan-out publishes by HTTP: --admin says where") }
        var head = "POST /v1/channels/\(channel)/messages HTTP/1.1\r\nHost: \(admin)\r\nContent-Length: \(size)\r\n"
        if let key = server.key { head += "Authorization: Bearer \(key)\r\n" }
        self.head = Array((head + "\r\n").utf8)
        self.size = size
        self.answered = answered
        super.init(descriptor: try Dial.connect(to: admin), peer: admin, on: loop)
    }

    /// Pushes one message, stamped with the current time.
    func publish() {
        isWaiting = true
        head.withUnsafeBytes { write($0) }
        write(count: size) { address in
            address.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"), count: size)
            MessageStamp.write(clinux_monotonic_nanoseconds(), to: address)
        }
    }

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        answer.append(contentsOf: bytes)
        guard let headEnd = answer.range(of: "\r\n\r\n") else { return }
        let body = answer[headEnd.upperBound...]
        guard let length = answer[..<headEnd.lowerBound].lowercased.number(after: "content-length: "),
            body.count >= length
        else { return }
        isWaiting = false
        let outcome = outcome(body)
        answer.removeAll(keepingCapacity: true)
        answered(outcome)
    }

    private func outcome(_ body: ArraySlice<UInt8>) -> Result<Int, BenchError> {
        if answer.starts(with: "HTTP/1.1 200 ".utf8), let matched = body.number(after: "\"matched\":") {
            return .success(matched)
        }
        let line = String(decoding: answer.prefix { $0 != 0x0D }, as: UTF8.self)
        return .failure(
            BenchError("the admin API answered a push with \(line) \(String(decoding: body, as: UTF8.self))"))
    }

    override func didClose() {
        answered(.failure(BenchError("the admin API closed the connection; does it listen there?")))
    }
}

extension Collection<UInt8> {
    /// The first place of `part`.
    func range(of part: some StringProtocol) -> Range<Index>? {
        let part = part.utf8
        var start = startIndex
        while start < endIndex {
            if self[start...].starts(with: part) { return start..<index(start, offsetBy: part.count) }
            formIndex(after: &start)
        }
        return nil
    }

    /// The whole number that follows `label`.
    func number(after label: String) -> Int? {
        guard let range = range(of: label) else { return nil }
        let digits = self[range.upperBound...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(String(decoding: Array(digits), as: UTF8.self))
    }

    /// The bytes with ASCII capitals in lower case.
    var lowercased: [UInt8] {
        map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}
