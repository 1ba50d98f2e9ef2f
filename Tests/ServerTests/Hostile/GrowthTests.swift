// A client's head is read in steps that grow as its length does: twice the input is twice the work, not four times. The work is
// the CPU time of the test's own thread, the least of several runs, at sizes where a square would show. A row whose work does
// not grow is a row that a limit has ended early, and fails too.

import EventLoop
import Glibc
import HTTP1
import JSON
import Proxies
import Testing
import WebSocket

@testable import Gateway
@testable import Scripting
@testable import Server

@Suite("Growth of reads", .serialized, .bounded)
struct GrowthTests {
    /// Something that is read, made of so many parts.
    struct Reading: Sendable, CustomTestStringConvertible {
        let name: String
        let size: Int
        let make: @Sendable (_ parts: Int) -> @Sendable () -> Void
        var testDescription: String { name }
    }

    private static func names(_ count: Int) -> [String] { (0..<count).map { "name\($0)" } }

    private static func bytes(fields: [String]) -> [UInt8] {
        let usual =
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        return Array((usual + fields.map { "\($0)\r\n" }.joined() + "\r\n").utf8)
    }

    private static func head(fields: [String]) -> RequestHead { RequestHead(validated: bytes(fields: fields))! }

    private static func handshake(_ fields: [String]) -> @Sendable () -> Void { handshake(head(fields: fields)) }

    private static func handshake(_ head: RequestHead) -> @Sendable () -> Void {
        let request = HandshakeRequest(head: head)
        return {
            guard case .accept = Handshake.evaluate(request, offers: .max) else {
                Issue.record("the handshake is refused")
                return
            }
        }
    }

    private static let readings = [
        Reading(name: "subprotocols", size: 8_000) { parts in
            handshake(["Sec-WebSocket-Protocol: " + names(parts).joined(separator: ",")])
        },
        Reading(name: "subprotocols in fields of their own", size: 8_000) { parts in
            handshake(names(parts).map { "Sec-WebSocket-Protocol: \($0)" })
        },
        Reading(name: "commas without subprotocols", size: 200_000) { parts in
            handshake(["Sec-WebSocket-Protocol: a" + String(repeating: " ,", count: parts)])
        },
        Reading(name: "extensions", size: 8_000) { parts in
            handshake(["Sec-WebSocket-Extensions: " + names(parts).joined(separator: ", ")])
        },
        Reading(name: "parameters of an extension", size: 8_000) { parts in
            handshake(["Sec-WebSocket-Extensions: a; " + names(parts).joined(separator: "; ")])
        },
        Reading(name: "a quoted parameter", size: 200_000) { parts in
            handshake(["Sec-WebSocket-Extensions: a;b=\"" + String(repeating: "\\a", count: parts) + "\""])
        },
        Reading(name: "tokens of Connection", size: 50_000) { parts in
            // The token that is looked for is the last one of the only field.
            let text = String(decoding: bytes(fields: []), as: UTF8.self)
            let tokens = "Connection: " + names(parts).joined(separator: ",") + ", Upgrade"
            let whole = text.replacing("Connection: Upgrade", with: tokens)
            return handshake(RequestHead(validated: Array(whole.utf8))!)
        },
        Reading(name: "fields by name", size: 5_000) { parts in
            let head = head(fields: names(parts).map { "\($0): a" })
            return { _ = head.joinedFields }
        },
        Reading(name: "one field many times", size: 20_000) { parts in
            let head = head(fields: (0..<parts).map { _ in "a: some value" })
            return { _ = head.joinedFields }
        },
        Reading(name: "fields that come one by one", size: 20_000) { parts in
            let bytes = bytes(fields: names(parts).map { "\($0): a" })
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                .map { Array($0) + [UInt8(ascii: "\n")] }
            return {
                var limits = HTTPLimits()
                limits.maxHead = 1 << 30
                limits.maxFields = .max
                var parser = RequestParser(limits: limits)
                for line in lines.dropLast() {
                    var offset = 0
                    line.withUnsafeBytes { _ = parser.next($0.bytes, from: &offset) }
                }
                #expect(!parser.isIdle)
            }
        },
        Reading(name: "a head that comes byte by byte", size: 4_000) { parts in
            let bytes = bytes(fields: names(parts).map { "\($0): a" })
            return {
                var limits = HTTPLimits()
                limits.maxHead = 1 << 30
                limits.maxFields = .max
                var parser = RequestParser(limits: limits)
                for byte in bytes {
                    var offset = 0
                    withUnsafeBytes(of: byte) { _ = parser.next($0.bytes, from: &offset) }
                }
            }
        },
        Reading(name: "cookies", size: 8_000) { parts in
            let value = names(parts).map { "\($0)=x" }.joined(separator: "; ")
            let request = UpgradeRequest(path: "/", ip: "", headers: [("cookie", Array(value.utf8))])
            return { _ = request.cookies }
        },
        Reading(name: "blanks around a cookie", size: 100_000) { parts in
            let blanks = String(repeating: " ", count: parts)
            let request = UpgradeRequest(
                path: "/", ip: "", headers: [("cookie", Array("\(blanks)a\(blanks)=\(blanks)b\(blanks)".utf8))])
            return { _ = request.cookies }
        },
        Reading(name: "a query", size: 8_000) { parts in
            let text = names(parts).map { "\($0)=%41" }.joined(separator: "&")
            return { _ = QueryString(text, maxPairs: .max) }
        },
        // No more hops than these are followed, but each may be as long as the head lets it be.
        Reading(name: "blanks in X-Forwarded-For", size: 50_000) { parts in
            let blanks = String(repeating: " ", count: parts / ForwardedChain.mostHops / 2)
            let hop = blanks + "10.0.0.1" + blanks
            let text = Array(repeating: hop, count: ForwardedChain.mostHops).joined(separator: ",")
            return { follow(text, .xForwardedFor) }
        },
        Reading(name: "a last hop of X-Forwarded-For that names nobody", size: 100_000) { parts in
            let text = "10.0.0.1," + String(repeating: "a:", count: parts)
            return { follow(text, .xForwardedFor) }
        },
        Reading(name: "Forwarded with quotes", size: 100_000) { parts in
            let text = "for=10.0.0.1;by=\"" + String(repeating: "\\\"", count: parts)
            return { follow(text, .forwarded) }
        },
        Reading(name: "Forwarded with pairs", size: 8_000) { parts in
            let text = names(parts).map { "\($0)=a" }.joined(separator: ";")
            return { follow(text, .forwarded) }
        },
        // An origin is read up to 1,024 bytes, and so often as there are rules; the host that it is compared with is longer.
        Reading(name: "the host beside an origin", size: 100_000) { parts in
            let host = String(repeating: "a.", count: parts)
            return { _ = OriginRule.allow(origins: ["https://example.com"], host: host, rules: [.sameOrigin]) }
        },
        Reading(name: "an origin beside many rules", size: 10_000) { parts in
            let origin = "https://" + String(repeating: "a.", count: 500) + "a"
            let rules = names(parts).map { OriginRule("https://*.\($0).example")! }
            return { _ = OriginRule.allow(origins: [origin], host: nil, rules: rules) }
        },
    ]

    private static func follow(_ text: String, _ field: ForwardedChain.Field) {
        let trusted = [IPNetwork("10.0.0.0/8")!]
        _ = ForwardedChain(text, field: field).client(behind: .unix, trusted: trusted)
    }

    @Test("twice the input is about twice the work, neither less nor a square", arguments: readings)
    func growth(_ reading: Reading) {
        let (small, large) = (reading.make(reading.size), reading.make(2 * reading.size))
        var (once, twice) = (UInt64.max, UInt64.max)
        // The least of several measurements is nearest to the work alone; a busy machine needs more of them.
        for _ in 0..<5 where once == .max || twice <= once + once / 4 || twice >= 3 * once + 500_000 {
            (once, twice) = (min(once, Self.work(small)), min(twice, Self.work(large)))
        }
        // A limit that ends the read early would leave nothing to measure.
        #expect(twice > once + once / 4, "\(reading.name): \(once) ns, then \(twice) ns")
        // A square would be 4; half a millisecond is noise.
        #expect(twice < 3 * once + 500_000, "\(reading.name): \(once) ns, then \(twice) ns")
    }

    /// Nanoseconds of the thread's CPU, the least of five runs.
    private static func work(_ body: () -> Void) -> UInt64 {
        (0..<5).map { _ in
            let start = threadTime()
            body()
            return threadTime() - start
        }.min()!
    }

    private static func threadTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
