// The log's thread, with a slow reader and with several writers.

import CLinux
import Glibc
import Logging
import PerigeeTestKit
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

    /// A gap in the log counts its entries.
    @Test("logging never waits for the reader")
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

    /// Entries of several threads are not cut.
    @Test("entries of a thread keep their order")
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

    @Test("reports unwritten entries in the log when it takes lines again")
    func failedWrites() throws {
        var folder = Array("/tmp/perigee-log-XXXXXX".utf8CString)
        try #require(mkdtemp(&folder) != nil)
        let path = String(decoding: folder.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/log"
        try #require(mkfifo(path, 0o600) == 0)
        defer {
            unlink(path)
            rmdir(folder)
        }
        let first = open(path, O_RDONLY | O_NONBLOCK)
        let writing = open(path, O_WRONLY)
        let output = LogOutput(format: .text, maxQueue: 1 << 20, descriptor: writing)
        close(writing)
        output.write("before\n")
        #expect(output.flush(within: .seconds(20)))
        var bytes = [UInt8](repeating: 0, count: 4_096)
        #expect(read(first, &bytes, bytes.count) == 7)
        close(first)
        for _ in 0..<3 { output.write("nobody reads\n") }
        #expect(output.flush(within: .seconds(20)))
        #expect(output.dropped == 3)
        let second = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(second) }
        output.write("after\n")
        #expect(output.flush(within: .seconds(20)))
        let count = read(second, &bytes, bytes.count)
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2 && lines.last == "after")
        #expect(lines.first?.contains("warning 3 log entries were dropped") == true, "\(lines)")
    }

    @Test("outputs that nobody reads have the time at the end together")
    func flushedTogether() throws {
        var readers: [Int32] = []
        defer { readers.forEach { close($0) } }
        let outputs = try (0..<3).map { _ in
            let (reading, writing) = try makePipe()
            defer { close(writing) }
            readers.append(reading)
            let output = LogOutput(format: .text, maxQueue: 1 << 20, descriptor: writing)
            for _ in 0..<200 { output.write(String(repeating: "x", count: 1_000)) }
            return output
        }
        let start = ContinuousClock.now
        LogOutput.flush(outputs, within: .seconds(1))
        let time = start.duration(to: .now)
        #expect(time >= .milliseconds(990) && time < .seconds(2), "\(time)")
    }

    @Test("a line that a reader does not take blocks no longer than the set time")
    func bounded() throws {
        let line = [UInt8](repeating: 0x78, count: 200 << 10)
        let (reading, writing) = try makePipe()
        defer { [reading, writing].forEach { close($0) } }
        #expect(clinux_write_within(writing, line, 100, 0) == 1)
        #expect(clinux_write_within(writing, line, line.count, 50) == 0)
        let pair = SocketPair(blocks: true)
        #expect(clinux_write_within(pair.near, line, 100, 0) == 1)
        while clinux_write_within(pair.near, line, line.count, 50) == 1 {}
        pair.close()
        let full = open("/dev/full", O_WRONLY)
        #expect(clinux_write_within(full, line, 1, 1_000) == 0)
        close(full)
    }
}
