// A listening UNIX socket and its file. It is opened once for all loops: there is no SO_REUSEPORT for it, so each loop
// waits on a descriptor of the one socket. A file that a dead process has left behind is replaced; a socket on which a
// process listens is not.
//
// Read next: Listener.swift.

import CLinux
import Glibc
import Synchronization

/// The socket file that a server listens on.
public final class UnixSocketFile: Sendable {
    public let path: String
    private let state: Mutex<State>

    /// The file to take over from another process; nil where this one has made it.
    private let inherited: Identity?

    private struct State {
        /// -1 once released.
        var descriptor: Int32
        /// The file to remove; nil when it does not belong to this process any more.
        var file: Identity?
        /// How many listeners have a descriptor of the socket.
        var listeners = 0
        /// The socket that replaces one that another process has shut down, until all listeners have it; else -1.
        var renewal: Int32 = -1
        var awaitingRenewal = 0
    }

    /// The identity of a file: it changes when another process puts a file in its place. Its text is the two numbers
    /// with a dot between.
    public struct Identity: Sendable, Equatable, LosslessStringConvertible {
        let device: UInt64
        let inode: UInt64

        public init?(_ description: String) {
            let numbers = description.split(separator: ".", omittingEmptySubsequences: false).map { UInt64($0) }
            guard numbers.count == 2, let device = numbers[0], let inode = numbers[1] else { return nil }
            (self.device, self.inode) = (device, inode)
        }

        public var description: String { "\(device).\(inode)" }

        fileprivate init?(of path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// Binds the path and begins to listen. The file's mode is 0660, less what the process's umask takes away.
    /// - Parameter path: at most 107 bytes.
    public init(path: String) throws(ListenError) {
        // Between `bind` and `listen` the file looks like one that a dead process has left behind.
        let lock = try SocketFileLock(of: path)
        defer { lock.release() }
        let (socket, identity) = try Self.listening(at: path)
        self.path = path
        inherited = nil
        state = Mutex(State(descriptor: socket, file: identity))
    }

    /// The file of another process that is about to hand over to this one; the listeners get its socket separately.
    /// Until `takeOver` the file belongs to the other process, which goes on with it if this one does not come up.
    /// - Parameter identity: the file that the other process has made.
    public init(inheriting path: String, _ identity: Identity) {
        self.path = path
        inherited = identity
        state = Mutex(State(descriptor: -1, file: nil))
    }

    deinit { remove() }

    /// A descriptor of the socket for one more listener, which owns it.
    public func duplicate() throws(ListenError) -> Int32 {
        let copy = state.withLock { fcntl($0.descriptor, F_DUPFD_CLOEXEC, 0) }
        guard copy >= 0 else { throw ListenError(path: path, code: errno) }
        return copy
    }

    /// One more listener has a descriptor of the socket.
    func addListener() { state.withLock { $0.listeners += 1 } }

    /// A descriptor of a new socket in place of one that another process has shut down: a UNIX socket cannot recover
    /// from that. The first listener that asks makes the socket, and the others get descriptors of it. Throws if the
    /// file belongs to another process. Does not wait for other processes.
    func renew(_ broken: Int32) throws(ListenError) -> Int32 {
        let lock = try SocketFileLock(of: path, patience: 0)
        defer { lock.release() }
        return try state.withLock { (state) throws(ListenError) -> Int32 in
            guard state.file != nil else { throw ListenError(path: path, code: EPERM) }
            if state.renewal < 0 || Self.isSame(state.renewal, broken) { try rebind(&state) }
            let copy = fcntl(state.renewal, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw ListenError(path: path, code: errno) }
            state.awaitingRenewal -= 1
            if state.awaitingRenewal <= 0 { Self.drop(&state.renewal) }
            return copy
        }
    }

    private func rebind(_ state: inout State) throws(ListenError) {
        Self.drop(&state.renewal)
        let (socket, identity) = try Self.listening(at: path)
        (state.renewal, state.file, state.awaitingRenewal) = (socket, identity, state.listeners)
    }

    private static func isSame(_ one: Int32, _ other: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino
    }

    private static func drop(_ descriptor: inout Int32) {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Leaves the socket to the listeners that have a descriptor of it; a second call does nothing.
    public func release() {
        state.withLock { state in
            Self.drop(&state.descriptor)
            Self.drop(&state.renewal)
        }
    }

    /// The other process has handed over: from here on this process has to remove the file.
    public func takeOver() { state.withLock { $0.file = inherited } }

    /// The file that this process has to remove; nil when it is another's.
    public var owned: Identity? { state.withLock { $0.file } }

    /// Leaves the file to another process, which listens on the same socket.
    public func handOver() { state.withLock { $0.file = nil } }

    /// Removes the file, unless it belongs to another process by now, and releases the socket. Connected clients stay
    /// connected; a second call does nothing.
    public func remove() {
        // If the socket were released first, a starting process could take the file for a stale one and replace it, and
        // the unlink would remove that process's file.
        let lock = state.withLock { $0.file == nil } ? nil : try? SocketFileLock(of: path)
        defer { lock?.release() }
        release()
        state.withLock { state in
            if let file = state.file, Identity(of: path) == file { unlink(path) }
            state.file = nil
        }
    }

    /// The path that a socket is bound to; nil for one that is no UNIX socket or has no file.
    public static func path(of socket: Int32) -> String? {
        var address = sockaddr_storage()
        guard clinux_local_address(socket, &address) == 0, Int32(address.ss_family) == AF_UNIX else { return nil }
        let path = withUnsafeBytes(of: &address) { bytes in
            String(decoding: bytes[MemoryLayout<sa_family_t>.size...].prefix { $0 != 0 }, as: UTF8.self)
        }
        return path.isEmpty ? nil : path
    }

    private static func listening(at path: String) throws(ListenError) -> (socket: Int32, file: Identity) {
        let socket = try bind(path)
        guard listen(socket, Listener.queueLength) == 0, let file = Identity(of: path) else {
            let code = errno
            close(socket)
            throw ListenError(path: path, code: code)
        }
        return (socket, file)
    }

    private static func bind(_ path: String) throws(ListenError) -> Int32 {
        let descriptor = try open(path)
        // The file is made with the socket's mode, so it is never open to more users than it should be.
        fchmod(descriptor, 0o660)
        var result = clinux_bind_path(descriptor, path)
        if result == -EADDRINUSE {
            do throws(ListenError) {
                try removeStale(path)
            } catch {
                close(descriptor)
                throw error
            }
            result = clinux_bind_path(descriptor, path)
        }
        guard result == 0 else {
            close(descriptor)
            throw ListenError(path: path, code: -result)
        }
        return descriptor
    }

    /// Removes a socket file on which no process listens; throws when one does, or when the file is no socket.
    private static func removeStale(_ path: String) throws(ListenError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw ListenError(path: path, code: EEXIST) }
        let descriptor = try open(path)
        defer { close(descriptor) }
        switch clinux_connect_path(descriptor, path) {
        case -ECONNREFUSED: unlink(path)
        case -ENOENT: break
        case 0, -EAGAIN, -EPROTOTYPE: throw ListenError(path: path, code: EADDRINUSE)
        case let result: throw ListenError(path: path, code: -result)
        }
    }

    private static func open(_ path: String) throws(ListenError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw ListenError(path: path, code: errno) }
        return descriptor
    }
}
