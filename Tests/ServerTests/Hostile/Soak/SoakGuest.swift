// A bad client in the middle of its work.

import PerigeeTestKit
import SeededGenerator

/// A client that stays for a while.
struct SoakGuest {
    enum Kind: CaseIterable {
        /// Says nothing, or half of something, and waits.
        case halfOpen
        /// Subscribes and takes one byte at a time, at most one a second.
        case slowReader
        /// Sends as much as the kernel takes and reads nothing.
        case flooder
        /// Sends its frames byte by byte.
        case dripper
        /// Subscribes and reads everything.
        case listener
    }

    let kind: Kind
    let socket: RawSocket
    private let clock = Clock()
    /// Its bytes, sent whole or in pieces.
    private let bytes: [UInt8]

    /// When a slow reader took its last byte, and how far a dripper has come; shared by the copies of a guest.
    private final class Clock {
        var last = ContinuousClock.now
        var sent = 0
    }

    init(_ kind: Kind, socket: RawSocket, sends bytes: [UInt8] = []) {
        self.kind = kind
        self.socket = socket
        self.bytes = bytes
    }

    /// Does a little more of its work; it ignores that the server has hung up.
    func goOn(_ generator: inout SeededGenerator) {
        switch kind {
        case .halfOpen:
            break
        case .slowReader:
            guard ContinuousClock.now > clock.last + .seconds(1) else { return }
            clock.last = .now
            socket.swallowByte()
        case .flooder:
            _ = try? socket.sendAvailable(bytes)
        case .dripper:
            guard !bytes.isEmpty else { return }
            _ = try? socket.sendAvailable([bytes[clock.sent % bytes.count]])
            clock.sent += 1
        case .listener:
            _ = socket.readAvailable()
        }
    }

    /// Goes, in one of the ways in which clients go.
    func leave(_ generator: inout SeededGenerator) {
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: try? socket.reset()
        case 1:
            try? socket.shutdownWrite()
            socket.close()
        default: socket.close()
        }
    }
}
