// Inflating the messages of clients: every window, blocks of every kind, faults, and the limit.

import CZlib
import SeededGenerator
import Testing

@testable import WebSocket

@Suite(.bounded) struct InflaterTests {
    @Test("inflates what a client compresses with any window and level", arguments: 9...15 as ClosedRange<Int32>)
    func windows(_ bits: Int32) {
        let messages = (0..<6).map { SampleText.json([1, 100, 1000, 5000, 70_000, 300_000][$0], seed: UInt64($0)) }
        for level: Int32 in [1, 6, 9] {
            for keepsContext in [false, true] {
                let payloads = RawDeflate.compress(
                    messages, windowBits: bits, level: level, keepsContext: keepsContext)
                let inflater = Inflater(windowBits: Int(bits), keepsContext: keepsContext)
                #expect(payloads.map { inflate($0, with: inflater) } == messages.map { .success($0) })
            }
        }
    }

    @Test("inflates the messages of RFC 7692, 7.2.3")
    func examples() {
        let hello = Result<[UInt8], Fault>.success(Array("Hello".utf8))
        let fresh = { Inflater(windowBits: 15, keepsContext: false) }
        #expect(inflate([0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], with: fresh()) == hello)
        #expect(
            inflate([0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00], with: fresh()) == hello,
            "a stored block")
        #expect(inflate([0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00], with: fresh()) == hello, "BFINAL")
        #expect(
            inflate([0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00], with: fresh())
                == hello, "two blocks")
        let keeping = Inflater(windowBits: 15, keepsContext: true)
        #expect(inflate([0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], with: keeping) == hello)
        #expect(inflate([0xF2, 0x00, 0x11, 0x00, 0x00], with: keeping) == hello, "the second one refers to the first")
    }

    @Test("accepts the empty message as one zero byte and as no bytes")
    func empty() {
        for keepsContext in [false, true] {
            let inflater = Inflater(windowBits: 15, keepsContext: keepsContext)
            for _ in 0..<3 {
                #expect(inflate([0], with: inflater) == .success([]))
                #expect(inflate([], with: inflater) == .success([]))
                #expect(inflate(RawDeflate.compress([0x61]), with: inflater) == .success([0x61]))
            }
        }
    }

    @Test("continues after a block that ends its stream, with the same window")
    func finalBlocks() {
        let first = RawDeflate.compress(Array("Hello".utf8), flush: Z_FINISH)
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        #expect(inflate(first, with: inflater) == .success(Array("Hello".utf8)))
        #expect(inflate(first + first + [0], with: inflater) == .success(Array("HelloHello".utf8)))
        // The second block of the message is the one of RFC 7692, 7.2.3.2, that refers to five bytes before it.
        #expect(inflate(first + [0xF2, 0x00, 0x11, 0x00, 0x00], with: inflater) == .success(Array("HelloHello".utf8)))
    }

    @Test("shares no bytes between messages where no context is kept")
    func separate() {
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        _ = inflate([0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], with: inflater)
        #expect(inflate([0xF2, 0x00, 0x11, 0x00, 0x00], with: inflater) == .failure(.init(.corruptCompression)))
        #expect(inflate([0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], with: inflater) == .success(Array("Hello".utf8)))
    }

    @Test(
        "refuses data that is not complete DEFLATE",
        arguments: [
            [0xFF], [0x06], [0x07, 0x00], [0xF2, 0x48, 0xCD], [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07],
            [0x00, 0x05, 0x00, 0xFA, 0xFE, 0x48], [0x00, 0x07, 0x00, 0xF8, 0xFF, 0x48], [0x00, 0x00],
            [0x02, 0x04, 0x00], [0x78, 0x9C, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0x00, 0xFF, 0xFF],
        ] as [[UInt8]])
    func corrupt(_ payload: [UInt8]) {
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        #expect(inflate(payload, with: inflater) == .failure(.init(.corruptCompression)))
        #expect(inflate([0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], with: inflater) == .success(Array("Hello".utf8)))
    }

    @Test("refuses a message that is cut anywhere before its end")
    func truncated() {
        let message = SampleText.json(3000)
        let payload = RawDeflate.compress(message)
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        let passing = (1..<payload.count).filter {
            if case .success = inflate(Array(payload[..<$0]), with: inflater) { true } else { false }
        }
        #expect(passing == [])
        #expect(inflate(payload, with: inflater) == .success(message))
    }

    @Test("inflates to the limit and not a byte further", arguments: [1, 100, 65_535, 65_536, 65_537, 200_000])
    func limit(_ count: Int) {
        let message = [UInt8](repeating: 0x61, count: count)
        let payload = RawDeflate.compress(message)
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        #expect(inflate(payload, with: inflater, limit: count) == .success(message))
        #expect(inflate(payload, with: inflater, limit: count - 1) == .failure(.init(.messageTooBig)))
        #expect(inflate(payload, with: inflater, limit: 0) == .failure(.init(.messageTooBig)))
    }

    @Test("keeps memory within the limit for a bomb of gigabytes")
    func bomb() {
        let bomb = Bomb.payload(megabytes: 10_000)
        #expect(bomb.count < 11 << 20)
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        var output = ScratchBytes()
        let fault = bomb.withUnsafeBytes { inflater.inflate($0, into: &output, limit: 1 << 20) }
        #expect(fault == .messageTooBig)
        #expect(output.capacity <= 1 << 20 + 1)
        output.shrink()
        #expect(output.capacity == 0)
    }

    @Test("agrees with zlib on noise and on damaged messages", arguments: 0..<4)
    func fuzz(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let inflater = Inflater(windowBits: 15, keepsContext: false)
        for round in 0..<800 {
            var payload =
                generator.oneIn(3)
                ? generator.bytes(Int.random(in: 1...60, using: &generator))
                : RawDeflate.compress(SampleText.json(Int.random(in: 1...2000, using: &generator)))
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                payload[Int.random(in: 0..<payload.count, using: &generator)] ^=
                    1
                    << UInt8.random(
                        in: 0...7, using: &generator)
            }
            let reference = RawDeflate.inflate([payload])[0]
            let actual = inflate(payload, with: inflater)
            // At the end of a stream within the message, plain zlib stops and the inflater continues.
            if let reference { #expect(actual == .success(reference), "seed \(seed), round \(round)") }
        }
    }

    /// A close reason as an error.
    struct Fault: Error, Equatable {
        let reason: CloseReason
        init(_ reason: CloseReason) { self.reason = reason }
    }

    private func inflate(
        _ payload: [UInt8], with inflater: Inflater, limit: Int = 1 << 20
    ) -> Result<[UInt8], Fault> {
        var output = ScratchBytes()
        // Memory of exactly the payload's size, so that a sanitizer finds a read beyond it.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: payload.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: payload)
        let fault = inflater.inflate(UnsafeRawBufferPointer(copy), into: &output, limit: limit)
        return fault.map { .failure(Fault($0)) } ?? .success(Array(output.bytes))
    }
}

/// Compressed zeros.
enum Bomb {
    /// A payload that is a thousand times smaller than its result.
    static func payload(megabytes: Int) -> [UInt8] {
        let megabyte = RawDeflate.compress([UInt8](repeating: 0, count: 1 << 20)) + [0, 0, 0xFF, 0xFF]
        return Array(repeatElement(megabyte, count: megabytes).joined()) + [0]
    }
}
