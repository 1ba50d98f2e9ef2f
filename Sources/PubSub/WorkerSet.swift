// The workers of a node that have subscribers of a channel: 256 bits, without heap memory.

/// A set of worker numbers, 0 to 255.
public struct WorkerSet: Sendable, Equatable {
    private var words: InlineArray<4, UInt64> = [0, 0, 0, 0]

    public init() {}

    public var isEmpty: Bool { words[0] | words[1] | words[2] | words[3] == 0 }

    public var count: Int {
        words[0].nonzeroBitCount + words[1].nonzeroBitCount + words[2].nonzeroBitCount + words[3].nonzeroBitCount
    }

    public mutating func insert(_ worker: UInt8) { words[Int(worker) >> 6] |= 1 << UInt64(worker & 63) }
    public mutating func remove(_ worker: UInt8) { words[Int(worker) >> 6] &= ~(1 << UInt64(worker & 63)) }
    public func contains(_ worker: UInt8) -> Bool { words[Int(worker) >> 6] & (1 << UInt64(worker & 63)) != 0 }

    /// Calls `body` with each member, in order.
    public func forEach(_ body: (UInt8) -> Void) {
        for index in words.indices {
            var word = words[index]
            while word != 0 {
                body(UInt8(index * 64 + word.trailingZeroBitCount))
                word &= word - 1
            }
        }
    }

    public static func == (left: WorkerSet, right: WorkerSet) -> Bool {
        left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }
}
