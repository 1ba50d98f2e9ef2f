// A connection's public name: opaque, carries node and worker so that any part of the server can route to it, and 64 random
// bits so that nobody guesses another's.

import CLinux
package import PubSub

/// Names one connection, on any worker, for its whole life.
package struct ConnectionID: Hashable, Sendable {
    package let node: UInt16
    package let worker: UInt8
    /// The slot in the worker's table; 24 bits are used.
    let slot: UInt32
    let secret: UInt64

    package init(node: UInt16, worker: UInt8, slot: UInt32, secret: UInt64) {
        self.node = node
        self.worker = worker
        self.slot = slot & 0xFF_FFFF
        self.secret = secret
    }

    /// The same connection as channels know it.
    package var subscriber: SubscriberID { SubscriberID(worker: worker, number: secret) }

    /// 112 bits, 5 to a character.
    private static let textCount = 23

    /// Reads the text form; nil when it is not one.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.textCount else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for letter in text.utf8 {
            let value = Base32.values[Int(letter)]
            guard value != 0xFF else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        guard high >> 48 == 0 else { return nil }
        self.init(
            node: UInt16(truncatingIfNeeded: high >> 32), worker: UInt8(truncatingIfNeeded: high >> 24),
            slot: UInt32(truncatingIfNeeded: high), secret: low)
    }

    /// 23 characters, digits and lower-case letters.
    package var text: String {
        String(unsafeUninitializedCapacity: Self.textCount) { output in
            var high = UInt64(node) << 32 | UInt64(worker) << 24 | UInt64(slot)
            var low = secret
            for index in stride(from: Self.textCount - 1, through: 0, by: -1) {
                output[index] = Base32.alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            return Self.textCount
        }
    }
}

// Numbers as short opaque text, in Crockford's alphabet: no letters that are mistaken for digits, nothing that a shell or a URL
// would treat specially.

/// Base 32 with digits and lower-case letters.
package enum Base32 {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// The value of each letter, 0xFF for what is none.
    static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    /// The number that such a text stands for; nil for any other text.
    package static func number(of text: String) -> UInt64? {
        guard text.utf8.count == 13 else { return nil }
        var number: UInt64 = 0
        for letter in text.utf8 {
            let value = values[Int(letter)]
            guard value != 0xFF, number <= UInt64.max >> 5 else { return nil }
            number = number << 5 | UInt64(value)
        }
        return number
    }

    /// 13 characters, which a `String` holds without the heap.
    package static func text(of number: UInt64) -> String {
        alphabet.withUnsafeBufferPointer { alphabet in
            String(unsafeUninitializedCapacity: 13) { output in
                for index in 0..<13 { output[index] = alphabet[Int(number >> UInt64(60 - 5 * index) & 31)] }
                return 13
            }
        }
    }
}

// The random half of connection ids, drawn from the kernel in batches: one system call for 64 connections.

/// Unguessable 64-bit numbers.
package struct SecretGenerator {
    private var pool: [UInt64] = []

    package init() {}

    package mutating func next() -> UInt64 {
        if let value = pool.popLast() { return value }
        pool = Array(repeating: 0, count: 64)
        pool.withUnsafeMutableBytes { bytes in
            // 512 bytes come whole from getrandom once the kernel's pool is up, which it is long before a server starts.
            let count = clinux_random(bytes.baseAddress!, bytes.count)
            precondition(count == bytes.count, "getrandom failed")
        }
        return pool.removeLast()
    }
}
