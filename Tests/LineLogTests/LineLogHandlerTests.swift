// The text of log entries, byte by byte, read back through a pipe.

import Glibc
import Logging
import PerigeeTestKit
import Testing

@testable import LineLog

@Suite("The log", .bounded)
struct LineLogHandlerTests {
    private static let time = LogTime(nanoseconds: 1_795_364_662_123_999_999)

    @Test("an entry is one line with time, level, message and sorted fields")
    func textLine() throws {
        let text = try written { log in
            log.info("script loaded", metadata: ["version": "7", "files": "main.lua, echo.lua", "empty": ""])
            log.warning("no fields")
        }
        #expect(
            text == """
                2026-11-22T16:24:22.123Z info  script loaded  empty="" files="main.lua, echo.lua" version=7
                2026-11-22T16:24:22.123Z warning no fields

                """)
    }

    @Test("entries below the level are not written", arguments: Logger.Level.allCases)
    func level(least: Logger.Level) throws {
        let text = try written(level: least) { log in
            for level in Logger.Level.allCases { log.log(level: level, "x") }
        }
        #expect(text.split(separator: "\n").count == Logger.Level.allCases.filter { $0 >= least }.count)
    }

    @Test(
        "text from a peer ends no line, starts no escape and turns no direction",
        arguments: [
            ("a\nb", "a\\nb", "\n"), ("a\r\nb", "a\\r\\nb", ""), ("tab\there", "tab\\there", "\"tab\\there\""),
            ("\u{1B}[31m", "\\u001b[31m", "\"\\u001b[31m\""), ("\u{0}", "\\u0000", "\"\\u0000\""),
            ("\u{9B}31m", "\\u009b31m", "\"\\u009b31m\""), ("x\u{202E}y", "x\\u202ey", "\"x\\u202ey\""),
            ("x\u{2028}y", "x\\u2028y", "\"x\\u2028y\""), ("say \"hi\"", "say \"hi\"", "\"say \\\"hi\\\"\""),
            ("a=b", "a=b", "\"a=b\""), ("grüße", "grüße", "grüße"),
            ("back\\slash", "back\\slash", "\"back\\\\slash\""),
        ])
    func injection(said: String, message: String, value: String) throws {
        let text = try written { log in log.info("\(said)") }
        #expect(text == "2026-11-22T16:24:22.123Z info  \(message)\n")
        guard !said.contains(where: \.isNewline) || said.contains("\u{2028}") else { return }
        let field = try written { log in log.info("x", metadata: ["said": "\(said)"]) }
        #expect(field == "2026-11-22T16:24:22.123Z info  x  said=\(value)\n")
    }

    @Test("the name of a field cannot pass for another field")
    func fieldNames() throws {
        let text = try written { log in log.info("x", metadata: ["a=1 b\n": "2"]) }
        #expect(text == "2026-11-22T16:24:22.123Z info  x  \"a=1 b\\n\"=2\n")
    }

    @Test("a value of several lines follows indented, with controls escaped")
    func traceback() throws {
        let text = try written { log in
            log.error(
                "script failed",
                metadata: [
                    "connection": "c1",
                    "traceback": .string(
                        "main.lua:3: boom\r\n2026-11-22T16:24:22.123Z info  forged\n"
                            + "stack traceback:\n\t[C]: in 'error'\u{1B}\n"),
                ])
        }
        #expect(
            text == """
                2026-11-22T16:24:22.123Z error script failed  connection=c1
                    traceback:
                      main.lua:3: boom\\r
                      2026-11-22T16:24:22.123Z info  forged
                      stack traceback:
                        [C]: in 'error'\\u001b

                """)
    }

    @Test("as JSON an entry is one object on one line, its fields an object in it")
    func json() throws {
        let text = try written(format: .json) { log in
            log.notice(
                "two\nlines",
                metadata: [
                    "level": "forged", "count": .stringConvertible(7), "ok": .stringConvertible(true),
                    "ratio": .stringConvertible(0.5), "nan": .stringConvertible(Double.nan),
                    "list": ["a", .dictionary(["b": "c"])],
                ])
            log.info("none")
        }
        let head = "{\"time\":\"2026-11-22T16:24:22.123Z\",\"level\":"
        #expect(
            text == """
                \(head)"notice","message":"two\\nlines","fields":\
                {"count":7,"level":"forged","list":["a",{"b":"c"}],"nan":"nan","ok":true,"ratio":0.5}}
                \(head)"info","message":"none"}

                """)
    }

    @Test("an entry's fields replace the provider's and those the handler's")
    func fieldLayers() throws {
        let text = try written { log in
            log.handler.metadataProvider = Logger.MetadataProvider { ["b": "provider", "c": "provider"] }
            log[metadataKey: "a"] = "handler"
            log[metadataKey: "b"] = "handler"
            log[metadataKey: "c"] = "handler"
            log.info("x", metadata: ["c": "entry"])
        }
        #expect(text == "2026-11-22T16:24:22.123Z info  x  a=handler b=provider c=entry\n")
    }

    @Test("an error is a field")
    func error() throws {
        struct Broken: Error, CustomStringConvertible { let description = "it broke" }
        let text = try written { log in log.error("x", error: Broken()) }
        #expect(text == "2026-11-22T16:24:22.123Z error x  error=\"it broke\"\n")
    }

    @Test("a text longer than 8 KiB is cut and says how much is missing", arguments: LogFormat.allCases)
    func cut(format: LogFormat) throws {
        let long = String(repeating: "x", count: 8192 + 5)
        let text = try written(format: format) { log in log.info("\(long)", metadata: ["value": "\(long)"]) }
        #expect(text.utf8.count < 17_000)
        #expect(text.components(of: "x… (5 bytes more)") == 2)
    }

    @Test("an entry is one write, so that entries of several threads do not mix")
    func oneWrite() throws {
        let pair = SocketPair(keepsWrites: true, blocks: true)
        defer { pair.close() }
        let output = LogOutput(format: .text, maxQueue: 1 << 20, descriptor: pair.near)
        let handler = LineLogHandler(level: .info, to: output)
        let log = Logger(label: "test", factory: { _ in handler })
        log.error("script failed", metadata: ["a": "b", "traceback": "one\ntwo"])
        log.info("next")
        var packet = [UInt8](repeating: 0, count: 4096)
        let first = recv(pair.far, &packet, packet.count, 0)
        #expect(
            String(decoding: packet.prefix(first), as: UTF8.self).hasSuffix("    traceback:\n      one\n      two\n"))
        let second = recv(pair.far, &packet, packet.count, 0)
        #expect(String(decoding: packet.prefix(second), as: UTF8.self).hasSuffix(" info  next\n"))
    }

    @Test("a log that cannot be written is dropped and counted")
    func unwritable() {
        let output = LogOutput(format: .text, maxQueue: 1 << 20, descriptor: -1)
        let handler = LineLogHandler(level: .info, to: output)
        Logger(label: "test", factory: { _ in handler }).info("x")
        #expect(output.flush(within: .seconds(20)))
        #expect(output.dropped == 1)
    }

    @Test("the clock of an entry is the wall clock, in UTC")
    func clock() {
        #expect(LogTime(nanoseconds: 0).text == "1970-01-01T00:00:00.000Z")
        #expect(LogTime(nanoseconds: 951_782_400_001_000_000).text == "2000-02-29T00:00:00.001Z")
        #expect(LogTime(nanoseconds: 9_000_000_000_999_999_999).text == "2255-03-14T16:00:00.999Z")
        #expect(abs(Int(LogTime.now().nanoseconds / 1_000_000_000) - Glibc.time(nil)) <= 1)
    }

    /// The text that a logger wrote while `body` used it.
    private func written(
        level: Logger.Level = .trace, format: LogFormat = .text, _ body: (inout Logger) -> Void
    ) throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let output = LogOutput(format: format, maxQueue: 1 << 20, descriptor: ends[1], clock: { Self.time })
        let handler = LineLogHandler(level: level, to: output)
        var log = Logger(label: "test", factory: { _ in handler })
        body(&log)
        #expect(output.flush(within: .seconds(20)))
        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(ends[0], &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
