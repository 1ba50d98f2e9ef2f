// SocketPair: two connected sockets without a network, for tests that hold one end or both by hand; and how a test hangs up.
//
// Allocates: nothing; the descriptors are the caller's.
// Read next: RawSocket.swift.

import Glibc

/// Two connected UNIX sockets, which the caller closes. Both are closed in a program that another test starts.
public struct SocketPair {
    /// The end that goes to the code under test, or writes.
    public let near: Int32
    /// The other end, which the test keeps, or reads.
    public let far: Int32

    /// Makes a pair; ends the tests when the process has no more descriptors.
    /// - Parameters:
    ///   - keepsWrites: make each write a record of its own, so that the reader can count writes.
    ///   - blocks: whether reading and writing wait.
    public init(keepsWrites: Bool = false, blocks: Bool = false) {
        let type = keepsWrites ? SOCK_SEQPACKET : SOCK_STREAM
        let flags = SOCK_CLOEXEC.rawValue | (blocks ? 0 : SOCK_NONBLOCK.rawValue)
        var ends: [Int32] = [-1, -1]
        let made = socketpair(AF_UNIX, Int32(type.rawValue | flags), 0, &ends)
        precondition(made == 0, "socketpair: errno \(errno)")
        (near, far) = (ends[0], ends[1])
    }

    /// Closes both ends.
    public func close() {
        Glibc.close(near)
        Glibc.close(far)
    }
}

/// Closes a socket so that its peer learns of it at once. A process that another test starts just now holds a copy of the descriptor
/// until it runs its own program, and `close` alone would end the connection only then.
public func hangUp(_ descriptor: Int32) {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
}
