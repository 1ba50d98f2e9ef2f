// The forms of a frame in client protocols: encoded once, shared, and for raw frames nothing.

import AllocationCounter
import Synchronization
import Testing

@testable import WebSocket

@Suite("Forms of a frame", .bounded) struct FrameFormTests {
    private static let first = WireForm(rawValue: 1)
    private static let second = WireForm(rawValue: 2)
    private static let third = WireForm(rawValue: 255)

    private var policy: DeflatePolicy {
        var policy = DeflatePolicy()
        policy.threshold = 1
        return policy
    }

    private func text(_ frame: Frame?) -> String? {
        frame.map { frame in frame.withUnsafeBytes { String(decoding: $0.dropFirst(2), as: UTF8.self) } }
    }

    @Test("the raw form is the frame itself")
    func raw() {
        let frame = Frame.text("a")
        let form = frame.encoded(in: .raw) {
            Issue.record("encoded")
            return nil
        }
        #expect(form.map { $0 === frame } == true)
    }

    @Test("each form is encoded once and stays")
    func once() {
        let frame = Frame.text("a")
        var encoded: [WireForm] = []
        for _ in 0..<3 {
            for form in [Self.first, Self.second, Self.third] {
                let found = frame.encoded(in: form) {
                    encoded.append(form)
                    return .text("\(form.rawValue):a")
                }
                #expect(text(found) == "\(form.rawValue):a")
            }
        }
        #expect(encoded == [Self.first, Self.second, Self.third])
        #expect(text(frame) == "a")
    }

    @Test("a form that cannot carry the message is asked for once")
    func impossible() {
        let frame = Frame.binary([1])
        var count = 0
        for _ in 0..<3 {
            let form = frame.encoded(in: Self.first) {
                count += 1
                return nil
            }
            #expect(form == nil)
        }
        #expect(text(frame.encoded(in: Self.second) { .text("b") }) == "b")
        #expect(count == 1)
    }

    @Test("many threads that need two forms at the same time encode each once")
    func threads() {
        for _ in 0..<50 {
            let frame = Frame.text("a")
            let count = Atomic<Int>(0)
            let wrong = Atomic<Int>(0)
            Threads.run(8) {
                for form in [Self.first, Self.second] {
                    let found = frame.encoded(in: form) {
                        count.add(1, ordering: .relaxed)
                        return .binary([UInt8](repeating: form.rawValue, count: 2_000))
                    }
                    if found?.payload.first != form.rawValue { wrong.add(1, ordering: .relaxed) }
                }
            }
            #expect(count.load(ordering: .relaxed) == 2)
            #expect(wrong.load(ordering: .relaxed) == 0)
        }
    }

    @Test("a form is compressed once, as the frame itself is")
    func compressed() {
        let compression = Compression(policy)
        let frame = Frame.binary(SampleText.json(4_000))
        for _ in 0..<100 {
            for form in [WireForm.raw, Self.first] {
                guard let encoded = frame.encoded(in: form, { .binary([35, 10] + SampleText.json(4_000)) }) else {
                    Issue.record("no form")
                    return
                }
                // The shared window, and a smaller one, whose forms the worker keeps for a turn.
                for bits in [compression.policy.windowBits, 10] {
                    #expect(compression.form(of: encoded, windowBits: bits).count < encoded.count)
                }
            }
        }
        #expect(compression.deflated == 4)
    }

    @Test("more frames in a turn than have places are still compressed right")
    func places() {
        let compression = Compression(policy)
        let frames = (0..<20).map { Frame.binary(SampleText.json(1_000, seed: UInt64($0 + 1))) }
        for _ in 0..<2 {
            for (number, frame) in frames.enumerated() {
                let form = compression.form(of: frame, windowBits: 10)
                let payload = withExtendedLifetime(form) { Array(form.payload) }
                #expect(
                    RawDeflate.inflate([payload], windowBits: 10) == [SampleText.json(1_000, seed: UInt64(number + 1))])
            }
        }
        compression.endTurn()
    }

    /// Another form allocates its frame and an entry.
    @Test(
        "a raw frame allocates nothing",
        .enabled(if: allocations_are_counted(), "a sanitizer brings an allocator of its own"))
    func allocations() {
        func count(_ body: () -> Void) -> Int {
            let before = allocations_of_thread()
            body()
            return allocations_of_thread() - before
        }
        let payload = [UInt8](repeating: 1, count: 100)
        // Swift allocates the metadata of a type at its first use.
        _ = Frame.binary(payload).encoded(in: Self.first) { .binary(payload) }
        var frame = Frame.binary([])
        let raw = count {
            frame = .binary(payload)
            for _ in 0..<100 { _ = frame.encoded(in: .raw) { nil } }
        }
        #expect(raw == 1)
        let other = count {
            for _ in 0..<100 { _ = frame.encoded(in: Self.first) { .binary(payload) } }
        }
        #expect(other == 2)
    }
}
