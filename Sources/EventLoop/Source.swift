// Anything with a descriptor that a loop watches: a listener, a socket, an inbox's wake-up, a file watcher.
//
// Runs on: its loop's thread, from `EventLoop.add` to `EventLoop.remove`.

import CLinux
import Glibc

/// The events that epoll watches for, or has reported.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: 0x001)  // EPOLLIN
    public static let writable = Readiness(rawValue: 0x004)  // EPOLLOUT
    /// Report a change once, and not for as long as the state lasts (EPOLLET).
    static let onChange = Readiness(rawValue: 1 << 31)
    /// Of several loops that wait on the same socket, only one is told (EPOLLEXCLUSIVE). Cannot be changed by `watch`.
    static let exclusive = Readiness(rawValue: 1 << 28)
    /// An error or a hang-up; epoll reports it whether asked or not.
    public static let broken = Readiness(rawValue: 0x008 | 0x010)  // EPOLLERR | EPOLLHUP
}

/// A descriptor and the reaction to its readiness. The subclass owns the descriptor's meaning, the source owns the descriptor.
open class Source {
    /// The descriptor, -1 after `closeDescriptor`.
    public private(set) var descriptor: Int32
    /// The place in the loop's table while the loop watches it.
    public internal(set) var token = Token(slot: .max, generation: .max)

    /// Takes ownership of `descriptor`, which must be non-blocking.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { closeDescriptor() }

    /// Called in a turn in which the descriptor is ready for the requested operations, or broken.
    open func ready(_ readiness: Readiness) {}

    /// Closes the descriptor; a second call does nothing.
    public final func closeDescriptor() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }

    /// Forgets the descriptor, which another owner closes.
    final func disown() { descriptor = -1 }
}
