// The system calls with which sockets send. Every byte of every connection leaves through one of these two functions,
// so a debug build lets a test answer them in the kernel's place; a release build has nothing but the calls.

import CLinux
import Glibc

/// Sends to descriptors.
enum SystemWrite {
    /// One send; 0 when the kernel has no room, negative when the connection is broken.
    static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        #if DEBUG
            if let kernel {
                return withUnsafePointer(to: iovec(bytes)) {
                    kernel.send(UnsafeBufferPointer(start: $0, count: 1), to: descriptor)
                }
            }
        #endif
        while true {
            let sent = clinux_send(descriptor, bytes.baseAddress!, bytes.count)
            if sent >= 0 { return sent }
            if sent == -Int(EAGAIN) { return 0 }
            if sent != -Int(EINTR) { return sent }
        }
    }

    /// One `writev`; 0 when the kernel has no room, negative when the connection is broken.
    static func send(_ vector: UnsafeBufferPointer<iovec>, to descriptor: Int32) -> Int {
        #if DEBUG
            if let kernel { return kernel.send(vector, to: descriptor) }
        #endif
        while true {
            let sent = clinux_send_vector(descriptor, vector.baseAddress!, vector.count)
            if sent >= 0 { return sent }
            if sent == -Int(EAGAIN) { return 0 }
            if sent != -Int(EINTR) { return sent }
        }
    }

    #if DEBUG
        /// The object that answers in the kernel's place, for the task that sets it.
        @TaskLocal static var kernel: (any StandInKernel)?
    #endif
}

#if DEBUG
    /// Answers sends in the kernel's place.
    protocol StandInKernel: AnyObject, Sendable {
        /// How many of the bytes it takes, 0 when it has no room, a negative errno when the connection is broken.
        func send(_ pieces: UnsafeBufferPointer<iovec>, to descriptor: Int32) -> Int
    }
#endif

extension iovec {
    /// A piece of memory that is sent from.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
}
