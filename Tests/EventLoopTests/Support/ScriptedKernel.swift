// A kernel whose answers a test writes down, for what a real one does only at its own time.

import Glibc

@testable import EventLoop

/// Takes what it is told to take, and remembers it.
final class ScriptedKernel: StandInKernel, @unchecked Sendable {
    /// The next answers for a descriptor: how many bytes it takes, 0 for no room, a negative errno for a broken connection. When
    /// there is none left, it takes everything.
    var answers: [Int32: [Int]] = [:]
    /// What each descriptor has taken.
    private(set) var taken: [Int32: [UInt8]] = [:]
    /// How often each descriptor was offered bytes.
    private(set) var calls: [Int32: Int] = [:]

    func send(_ pieces: UnsafeBufferPointer<iovec>, to descriptor: Int32) -> Int {
        calls[descriptor, default: 0] += 1
        let bytes = pieces.flatMap { Array(UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len)) }
        var count = bytes.count
        if let answer = answers[descriptor]?.first {
            answers[descriptor]?.removeFirst()
            guard answer >= 0 else { return answer }
            count = min(count, answer)
        }
        taken[descriptor, default: []] += bytes.prefix(count)
        return count
    }

    /// Answers the sends of `body` in the kernel's place.
    func run<Result>(_ body: () -> Result) -> Result { SystemWrite.$kernel.withValue(self, operation: body) }
}
