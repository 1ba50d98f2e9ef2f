// One loop's compression: the compressors, the decompressor and the memory that its connections share, so that a
// connection that is idle costs no more than a plain one.
// Runs on: the thread of its loop.
// Allocates: each compressor, the decompressor and their memory when they are first needed.
// Read next: Compression+Sending.swift, Compression+Receiving.swift.

/// What the connections of one loop compress and inflate with.
public final class Compression {
    public let policy: DeflatePolicy
    /// Messages compressed here, each once however many clients got it.
    public internal(set) var deflated: UInt64 = 0
    /// Compressed messages of clients inflated here.
    public internal(set) var inflated: UInt64 = 0

    /// The compressors without context, by the base-2 logarithm of their window.
    private var deflaters = [Deflater?](repeating: nil, count: 16)
    lazy var inflater = Inflater(windowBits: 15, keepsContext: false)
    var output = ScratchBytes()
    var input = ScratchBytes()
    var narrowFrames = NarrowFrames()

    public init(_ policy: DeflatePolicy) {
        self.policy = policy
    }

    /// The shared compressor for a window.
    func deflater(windowBits: Int) -> Deflater {
        if let deflater = deflaters[windowBits] { return deflater }
        let deflater = Deflater(level: policy.level, windowBits: windowBits, keepsContext: false)
        deflaters[windowBits] = deflater
        return deflater
    }

    /// Gives back what large messages have taken. Call it when the loop has nothing more to do with what was handed out.
    public func endTurn() {
        output.shrink()
        input.shrink()
        narrowFrames.forget()
    }
}
