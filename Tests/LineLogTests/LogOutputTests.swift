// The log's thread, with a slow reader and with several writers.

import Glibc
import Logging
import Synchronization
import Testing

@testable import EventLoop
@testable import LineLog

@Suite("The log's thread", .bounded)
struct LogOutputTests {
    private static let lines = 20_000

    private func makePipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    /// Reads until the last writer has closed the pipe; fails after 20 s without a byte.
    private func readAll(_ descriptor: Int32) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&ready, 1, 20_000) == 1)
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    @Test("logging never waits for the reader; a gap in the log counts its entries")
    func stalledReader() throws {
        let (reading, writing) = try makePipe()
        defer { close(reading) }
        var output: LogOutput? = LogOutput(format: .text, maxQueue: 256 << 10, descriptor: writing)
        close(writing)
        let dropped: UInt64
        do {
            let stalled = try #require(output)
            let isOver = Inbox<Bool>()
            let thread = LoopThread(name: "logging") {
                let log = Logger(label: "test") { _ in LineLogHandler(level: .info, to: stalled) }
                for number in 0..<Self.lines { log.info("entry \(number)") }
                isOver.post(true)
            }
            var ended = pollfd(fd: isOver.wakeUp, events: Int16(POLLIN), revents: 0)
            _ = isOver.prepareToSleep() ? poll(&ended, 1, 60_000) : 1
            try #require(!isOver.isEmpty, "the thread that logs is held up")
            thread.join()
            #expect(!stalled.flush(within: .milliseconds(50)))
            dropped = stalled.dropped
            #expect(dropped > 1_000)
        }
        // The thread ends when it has written the rest.
        output = nil
        let text = try readAll(reading)
        let lines = text.split(separator: "\n")
        #expect(lines.last?.contains("warning \(dropped) log entries were dropped") == true, "\(lines.last ?? "")")
        let numbers = lines.compactMap { line in
            line.split(separator: "entry ").last.flatMap { line.contains("info") ? Int($0) : nil }
        }
        #expect(numbers == Array(0..<Self.lines - Int(dropped)), "the entries before the gap are whole and in order")
    }

    @Test("entries of a thread keep their order; those of several are not cut")
    func severalThreads() throws {
        let (reading, writing) = try makePipe()
        defer { close(reading) }
        var output: LogOutput? = LogOutput(format: .text, maxQueue: 4 << 20, descriptor: writing)
        close(writing)
        let threads = (0..<4).map { [output] thread in
            LoopThread(name: "logging-\(thread)") {
                guard let output else { return }
                let log = Logger(label: "test") { _ in LineLogHandler(level: .info, to: output) }
                for number in 0..<500 { log.info("thread \(thread) entry \(number)") }
            }
        }
        let reader = Mutex("")
        let reads = LoopThread(name: "reading") {
            let text = (try? readAll(reading)) ?? ""
            reader.withLock { $0 = text }
        }
        for thread in threads { thread.join() }
        output = nil
        reads.join()
        let lines = reader.withLock { $0 }.split(separator: "\n")
        #expect(lines.count == 2_000)
        for thread in 0..<4 {
            let own = lines.filter { $0.contains("thread \(thread) ") }.compactMap {
                $0.split(separator: "entry ").last.flatMap { Int($0) }
            }
            #expect(own == Array(0..<500))
        }
    }
}
