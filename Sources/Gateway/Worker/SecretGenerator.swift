// The random half of connection ids, drawn from the kernel in batches: one system call for 64 connections.

import CLinux

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
