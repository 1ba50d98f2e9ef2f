// The lines of a body that comes in pieces. A line that is too long is told once and then skipped up to its end, so that no more
// than one line and one piece are ever kept.
//
// Allocates: the bytes that are not taken yet.
// Read next: BatchStream.swift.

import Glibc

/// Cuts bytes into lines.
struct BatchLines {
    /// The next thing in the bytes.
    enum Step: Equatable {
        /// A line without its end, as a range of `bytes`, valid until more bytes come.
        case line(Range<Int>)
        /// A line that is longer than a line may be.
        case tooLong
        /// No whole line is there.
        case needMore
    }

    /// The most bytes of a line, without its end.
    let longest: Int
    private(set) var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to where no line end was found.
    private var scanned = 0
    /// Whether the rest of a line that was too long is still to come.
    private var isSkipping = false

    init(longest: Int) { self.longest = longest }

    /// Whether bytes are there that belong to no line that was taken.
    var hasRest: Bool { start < bytes.count }

    /// Adds bytes.
    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 0 {
            if start == bytes.count {
                bytes.removeAll(keepingCapacity: bytes.capacity <= 2 * longest)
            } else {
                bytes.removeSubrange(..<start)
            }
            scanned -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// No more bytes come: the rest is the last line.
    mutating func end() {
        if start < bytes.count || isSkipping { bytes.append(UInt8(ascii: "\n")) }
    }

    /// Forgets all bytes.
    mutating func drop() {
        bytes = []
        start = 0
        scanned = 0
    }

    /// Takes the next line.
    mutating func next() -> Step {
        while true {
            guard let end = nextLineEnd() else { return cutIfTooLong() }
            let line = start..<end
            start = end + 1
            scanned = start
            if isSkipping {
                isSkipping = false
                continue
            }
            return line.count > longest ? .tooLong : .line(line)
        }
    }

    private func nextLineEnd() -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard scanned < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + scanned, 0x0A, bytes.count - scanned)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private mutating func cutIfTooLong() -> Step {
        scanned = bytes.count
        guard isSkipping || bytes.count - start > longest else { return .needMore }
        start = bytes.count
        defer { isSkipping = true }
        return isSkipping ? .needMore : .tooLong
    }
}
