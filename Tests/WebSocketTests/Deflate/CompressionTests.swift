// The common state of a loop's connections: forms of frames, compressed once, and messages in both directions.

import AllocationCounter
import Glibc
import Synchronization
import SeededGenerator
import Testing

@testable import WebSocket

@Suite(.bounded) struct CompressionTests {
    @Test("compresses for every window so that a client with it can inflate", arguments: 9...15)
    func roundTrips(_ bits: Int) {
        let compression = Compression(policy())
        for count in [1, 2, 100, 4096, 70_000, 300_000] {
            let message = SampleText.json(count, seed: UInt64(count))
            let compressed = message.withUnsafeBytes { message in
                compression.deflate(message, windowBits: bits).map { Array($0) }
            }
            guard let compressed else {
                #expect(count <= 2)
                continue
            }
            #expect(compressed.count < count)
            let isSame = RawDeflate.inflate([compressed], windowBits: Int32(bits)) == [message]
            #expect(isSame, "\(count) bytes")
        }
    }

    @Test("refers to nothing outside of the client's window", arguments: 9...14)
    func staysInWindow(_ bits: Int) {
        var generator = SeededGenerator(seed: UInt64(bits))
        let noise = generator.bytes(1 << bits + 100)
        let message = noise + noise + [UInt8](repeating: 0, count: 4 * noise.count)
        let compression = Compression(policy())
        let shared = message.withUnsafeBytes { compression.deflate($0, windowBits: bits).map { Array($0) } } ?? []
        let own = Deflater(level: 9, windowBits: bits, keepsContext: true)
        let kept = (0..<2).map { _ in message.withUnsafeBytes { Array(compression.deflate($0, with: own)) } }
        #expect(RawDeflate.inflate([shared], windowBits: Int32(bits)) == [message])
        #expect(RawDeflate.inflate(kept, windowBits: Int32(bits), keepsContext: true) == [message, message])
    }

    @Test("compresses repeated messages smaller with a context", arguments: 9...15)
    func takeover(_ bits: Int) {
        let compression = Compression(policy())
        let own = Deflater(level: 3, windowBits: bits, keepsContext: true)
        var generator = SeededGenerator(seed: 5)
        let random = generator.bytes(20_000)
        let message = SampleText.json(400)
        let messages = [message, message, random, message, message, [1], SampleText.json(100_000)]
        let payloads = messages.map { message in
            message.withUnsafeBytes { Array(compression.deflate($0, with: own)) }
        }
        #expect(RawDeflate.inflate(payloads, windowBits: Int32(bits), keepsContext: true) == messages)
        // A window of 512 bytes does not reach the previous message.
        #expect(bits == 9 || payloads[1].count < payloads[0].count / 4)
        #expect(zip(payloads, messages).allSatisfy { $0.count <= Compression.bound($1.count) })
    }

    @Test("compresses a frame once for all loops and connections")
    func once() {
        let frame = Frame.text(String(decoding: SampleText.json(4000), as: UTF8.self))
        let (first, second) = (Compression(policy()), Compression(policy()))
        let form = first.form(of: frame, windowBits: 15)
        #expect(form.count < frame.count / 2)
        for compression in [first, second] {
            for _ in 0..<1000 { #expect(compression.form(of: frame, windowBits: 15) === form) }
        }
        #expect(first.deflated == 1)
        #expect(second.deflated == 0)
        let bytes = form.withUnsafeBytes { Array($0) }
        #expect(bytes[0] == 0xC1)
        let payload = withExtendedLifetime(form) { Array(form.payload) }
        #expect(RawDeflate.inflate([payload]) == [SampleText.json(4000)])
    }

    @Test("compresses a frame once when many threads need it at the same time")
    func onceOnManyThreads() {
        // Large enough that the second thread starts long before the first one ends.
        let frame = Frame.binary([[UInt8]](repeating: SampleText.json(100_000), count: 20).flatMap { $0 })
        let count = Atomic<UInt64>(0)
        Threads.run(8) {
            let compression = Compression(DeflatePolicy())
            _ = compression.form(of: frame, windowBits: 15)
            count.add(compression.deflated, ordering: .relaxed)
        }
        #expect(count.load(ordering: .relaxed) == 1)
    }

    @Test("compresses a frame once per turn for each smaller window")
    func narrow() {
        let frame = Frame.binary(SampleText.json(30_000))
        let compression = Compression(policy())
        for _ in 0..<100 {
            for bits in 9...15 {
                let form = compression.form(of: frame, windowBits: bits)
                let payload = withExtendedLifetime(form) { Array(form.payload) }
                guard form.withUnsafeBytes({ $0[0] }) == 0xC2 else {
                    Issue.record("not compressed")
                    return
                }
                if compression.deflated <= 7 {
                    #expect(RawDeflate.inflate([payload], windowBits: Int32(bits)) == [SampleText.json(30_000)])
                }
            }
        }
        #expect(compression.deflated == 7)
        compression.endTurn()
        _ = compression.form(of: frame, windowBits: 9)
        #expect(compression.deflated == 8)
    }

    @Test("leaves frames below the threshold and incompressible ones unchanged")
    func plain() {
        var generator = SeededGenerator(seed: 4)
        let compression = Compression(policy(threshold: 1000))
        let small = Frame.binary([UInt8](repeating: 0, count: 999))
        #expect(compression.form(of: small, windowBits: 15) === small)
        #expect(compression.deflated == 0)
        let random = Frame.binary(generator.bytes(5000))
        for bits in [15, 15, 9, 9] { #expect(compression.form(of: random, windowBits: bits) === random) }
        #expect(compression.deflated == 2, "the frame remembers that it does not shrink")
        let large = Frame.binary([UInt8](repeating: 0, count: 1000))
        #expect(!(compression.form(of: large, windowBits: 15) === large))
    }

    @Test(
        "allocates a frame's compressed form once",
        .enabled(if: allocations_are_counted()))
    func allocations() {
        let compression = Compression(policy())
        _ = compression.form(of: .binary(SampleText.json(3000, seed: 9)), windowBits: 15)
        let frame = Frame.binary(SampleText.json(3000))
        let before = allocations_of_thread()
        for _ in 0..<1000 { _ = compression.form(of: frame, windowBits: 15) }
        #expect(allocations_of_thread() - before == 1)
    }

    @Test("inflates and deflates small messages without allocating", .enabled(if: allocations_are_counted()))
    func noAllocations() {
        let compression = Compression(policy())
        let message = SampleText.json(3000)
        let payload = RawDeflate.compress(message)
        var good = 0
        var before = 0
        for round in 0..<101 {
            if round == 1 { before = allocations_of_thread() }
            message.withUnsafeBytes { good += compression.deflate($0, windowBits: 15) == nil ? 0 : 1 }
            payload.withUnsafeBytes { payload in
                if case .message = compression.inflate(payload, binary: false, with: nil, maxMessage: 4000) {
                    good += 1
                }
            }
            compression.endTurn()
        }
        #expect(allocations_of_thread() - before == 0)
        #expect(good == 202)
    }

    @Test("checks text after inflating it and never checks binary")
    func text() {
        let compression = Compression(policy())
        let invalid = RawDeflate.compress([0x61, 0xC0])
        #expect(inflate(invalid, binary: true, compression) == [0x61, 0xC0])
        #expect(inflate(invalid, binary: false, compression) == nil)
        let cut = RawDeflate.compress([0xE2, 0x82])
        #expect(inflate(cut, binary: false, compression) == nil)
        #expect(inflate(RawDeflate.compress(Array("€".utf8)), binary: false, compression) == Array("€".utf8))
    }

    @Test("frees the memory of a large message at the end of the turn")
    func memory() {
        let compression = Compression(policy())
        let large = [UInt8](repeating: 0x61, count: 1 << 20)
        #expect(inflate(RawDeflate.compress(large), binary: false, compression)?.count == 1 << 20)
        #expect(compression.input.capacity >= 1 << 20)
        compression.endTurn()
        #expect(compression.input.capacity == 0)
    }

    private func inflate(_ payload: [UInt8], binary: Bool, _ compression: Compression) -> [UInt8]? {
        payload.withUnsafeBytes { payload in
            switch compression.inflate(payload, binary: binary, with: nil, maxMessage: 2 << 20) {
            case .message(let message): Array(message)
            case .failure(let reason):
                if reason == .invalidText { nil } else { [] }
            }
        }
    }

    private func policy(threshold: Int = 1) -> DeflatePolicy {
        var policy = DeflatePolicy()
        policy.threshold = threshold
        return policy
    }
}

/// Threads of the test's own, because all tasks may run on the same one.
enum Threads {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on `count` threads at the same time, and returns when all of them are done.
    static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        let threads = (0..<count).map { _ in
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { body in
                    Unmanaged<Body>.fromOpaque(body!).takeRetainedValue().run()
                    return nil
                }, Unmanaged.passRetained(Body(body)).toOpaque())
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
