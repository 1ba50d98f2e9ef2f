// One loop's compression: the compressors, the decompressor and the memory that its connections share, so that an idle
// connection costs no more than one without compression.
// Runs on: the thread of its loop.
// Allocates: each compressor, the decompressor and their memory when they are first needed.
// Read next: Deflater.swift, Inflater.swift.

import CLinux
import Glibc

/// The compressors and the decompressor of one loop's connections.
public final class Compression {
    public let policy: DeflatePolicy
    /// The number of messages compressed here. A message for many clients counts once.
    public private(set) var deflated: UInt64 = 0
    /// The number of clients' messages inflated here.
    public private(set) var inflated: UInt64 = 0

    /// The compressors without context, by the base-2 logarithm of their window.
    private var deflaters = [Deflater?](repeating: nil, count: 16)
    private lazy var inflater = Inflater(windowBits: 15, keepsContext: false)
    private var output = ScratchBytes()
    private(set) var input = ScratchBytes()
    private var smallWindowForms = SmallWindowForms()

    public init(_ policy: DeflatePolicy) {
        self.policy = policy
    }

    /// The shared compressor for a window.
    private func deflater(windowBits: Int) -> Deflater {
        if let deflater = deflaters[windowBits] { return deflater }
        let deflater = Deflater(level: policy.level, windowBits: windowBits, keepsContext: false)
        deflaters[windowBits] = deflater
        return deflater
    }

    /// Frees the memory that large messages took. Call it at the end of a turn, when all results have been used.
    public func endTurn() {
        output.shrink()
        input.shrink()
        smallWindowForms.forget()
    }

    // MARK: Messages out

    /// The largest message to compress: zlib counts in 32 bits, and compressing a larger one would block the loop for long.
    private static let largest = 1 << 30

    /// Whether a message of `count` bytes is worth compressing.
    public func isWorthwhile(_ count: Int) -> Bool {
        count >= policy.threshold && count <= Self.largest && count > 0
    }

    /// The form of a text or binary frame for connections without server context takeover: compressed, or unchanged where
    /// that is smaller or the message is below the threshold. All threads share the form for the policy's own window.
    public func form(of frame: Frame, windowBits: Int) -> Frame {
        guard isWorthwhile(frame.payloadCount) else { return frame }
        if windowBits == policy.windowBits {
            return Frame(frame.storage.compressed { compress(frame, windowBits: windowBits) })
        }
        return smallWindowForms.form(of: frame, windowBits: windowBits) {
            compress(frame, windowBits: windowBits).map(Frame.init) ?? frame
        }
    }

    private func compress(_ frame: Frame, windowBits: Int) -> FrameStorage? {
        guard let payload = deflate(frame.payload, windowBits: windowBits) else { return nil }
        return FrameStorage.encode(frame.isBinary ? .binary : .text, compressed: true, payload)
    }

    /// Compresses a message without context; nil where that does not make it smaller. The result is valid until the next
    /// call.
    public func deflate(_ payload: UnsafeRawBufferPointer, windowBits: Int) -> UnsafeRawBufferPointer? {
        deflated += 1
        let deflater = deflater(windowBits: windowBits)
        return deflater.deflate(payload, into: &output, limit: payload.count - 1) ? output.bytes : nil
    }

    /// Compresses a message with a connection's own compressor. Always send the result, even where it is larger, because
    /// later messages may refer to it. The result is valid until the next call.
    public func deflate(_ payload: UnsafeRawBufferPointer, with own: Deflater) -> UnsafeRawBufferPointer {
        deflated += 1
        _ = own.deflate(payload, into: &output)
        return output.bytes
    }

    /// The most bytes that a connection's own compressor makes of `count` bytes: nine bits for a byte where the window is too
    /// small to store incompressible data, a header for each block, and a flush.
    public static func bound(_ count: Int) -> Int { count + (count >> 3) + (count >> 6) + 64 }

    // MARK: Messages in

    /// The result of inflating a message.
    public enum Inflated {
        /// Its bytes, valid until the next call. Text is valid UTF-8.
        case message(UnsafeRawBufferPointer)
        /// The fault for which the connection is to be closed.
        case failure(CloseReason)
    }

    /// Inflates a message of a client within the limit, then checks that text is UTF-8.
    ///
    /// - Parameters:
    ///   - payload: The joined payloads of the message's frames.
    ///   - binary: Whether the message is binary.
    ///   - own: The connection's own decompressor, if its messages may refer to earlier ones.
    ///   - maxMessage: The largest size of the inflated message in bytes.
    public func inflate(
        _ payload: UnsafeRawBufferPointer, binary: Bool, with own: Inflater?, maxMessage: Int
    ) -> Inflated {
        inflated += 1
        if let fault = (own ?? inflater).inflate(payload, into: &input, limit: maxMessage) { return .failure(fault) }
        guard binary || UTF8Validator.isValid(input.bytes) else { return .failure(.invalidText) }
        return .message(input.bytes)
    }
}

/// The compressed forms of the last few frames for clients with small windows. A publication goes to its subscribers one after
/// the other, in one frame for each protocol that they speak, so a cache of few frames is enough to compress each once for each
/// window size.
private struct SmallWindowForms {
    private struct Place {
        var source: Frame?
        var forms = [Frame?](repeating: nil, count: 16)
    }

    private static let capacity = 8
    private var places: [Place] = []
    /// How many places are taken, and the one that a further frame takes when all are.
    private var count = 0
    private var oldest = 0

    /// The form of `frame` for a window, made by `compress` if it is not known.
    mutating func form(of frame: Frame, windowBits: Int, _ compress: () -> Frame) -> Frame {
        let place = place(of: frame)
        if let form = places[place].forms[windowBits] { return form }
        let form = compress()
        places[place].forms[windowBits] = form
        return form
    }

    private mutating func place(of frame: Frame) -> Int {
        for place in 0..<count {
            if let source = places[place].source, source === frame { return place }
        }
        let place: Int
        if count < Self.capacity {
            place = count
            count += 1
            if place == places.count { places.append(Place()) }
        } else {
            place = oldest
            oldest = (oldest + 1) % Self.capacity
            clear(place)
        }
        places[place].source = frame
        return place
    }

    /// Drops the frames and their forms.
    mutating func forget() {
        for place in 0..<count { clear(place) }
        (count, oldest) = (0, 0)
    }

    private mutating func clear(_ place: Int) {
        places[place].source = nil
        for index in places[place].forms.indices { places[place].forms[index] = nil }
    }
}

/// Memory that a loop inflates and deflates into: a buffer that zlib fills from the front and that grows on demand. It holds
/// one message at a time.
struct ScratchBytes: ~Copyable {
    /// The first allocation, which `shrink` keeps.
    static let keptCapacity = 64 << 10

    private var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private(set) var count = 0

    /// The filled part; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Empties the buffer and keeps its memory.
    mutating func clear() { count = 0 }

    /// The free part, at most 1 GiB of it; grows the buffer when it is full. Nil when `limit` bytes are filled.
    mutating func room(limit: Int) -> UnsafeMutableRawBufferPointer? {
        guard count < limit else { return nil }
        if count == capacity { grow(to: max(Self.keptCapacity, min(capacity * 2, limit))) }
        return UnsafeMutableRawBufferPointer(start: base! + count, count: min(min(capacity, limit) - count, 1 << 30))
    }

    /// Counts `added` bytes of the free part as filled.
    mutating func fill(_ added: Int) { count += added }

    /// Removes the last `removed` bytes.
    mutating func removeLast(_ removed: Int) { count -= removed }

    /// Frees the memory of a large message.
    mutating func shrink() {
        guard capacity > Self.keptCapacity else { return }
        free(base)
        (base, capacity, count) = (nil, 0, 0)
    }

    private mutating func grow(to capacity: Int) {
        guard let grown = realloc(base, capacity) else { clinux_die_without_memory(capacity) }
        base = grown
        self.capacity = capacity
    }

    deinit { free(base) }
}
