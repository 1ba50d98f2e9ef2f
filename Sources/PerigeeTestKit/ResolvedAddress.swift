// ResolvedAddress: the addresses of a host name and a port, or a UNIX socket's path, and how a connection is made to one.
//
// Read next: RawSocket.swift.

import Glibc

/// One IPv4 or IPv6 address with its port, or a path.
struct ResolvedAddress {
    private let family: Int32
    private var storage: sockaddr_storage
    private let length: socklen_t

    private init(_ entry: addrinfo) {
        family = entry.ai_family
        length = entry.ai_addrlen
        storage = sockaddr_storage()
        memcpy(&storage, entry.ai_addr, Int(entry.ai_addrlen))
    }

    /// A UNIX socket's file.
    init(path: String) throws(ClientError) {
        let bytes = Array(path.utf8)
        let offset = MemoryLayout<sa_family_t>.size
        guard bytes.count < MemoryLayout<sockaddr_un>.size - offset else {
            throw .unexpected("too long for a UNIX socket: \(path)")
        }
        family = AF_UNIX
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
        storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &storage) { raw in
            for (index, byte) in bytes.enumerated() { raw[offset + index] = byte }
        }
    }

    /// All addresses of `host`, in the order that the resolver prefers.
    static func resolve(host: String, port: Int) throws(ClientError) -> [ResolvedAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw .unexpected("resolving \(host): \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next }).prefix { $0 != nil }.compactMap {
            $0.map { ResolvedAddress($0.pointee) }
        }
    }

    /// Connects a new non-blocking socket and returns its descriptor, which the caller closes. `name` is the address in errors.
    func connect(name: String, receiveBuffer: Int? = nil, by deadline: Deadline) throws(ClientError) -> Int32 {
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, flags, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        do throws(ClientError) {
            if family != AF_UNIX { try Self.set(TCP_NODELAY, at: Int32(IPPROTO_TCP), to: Int32(1), on: descriptor) }
            if let receiveBuffer { try Self.setReceiveBuffer(receiveBuffer, on: descriptor) }
            try finishConnecting(descriptor, name: name, by: deadline)
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private func finishConnecting(_ descriptor: Int32, name: String, by deadline: Deadline) throws(ClientError) {
        let result = withUnsafeBytes(of: storage) {
            Glibc.connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
        if result == 0 { return }
        guard errno == EINPROGRESS else { throw .system(call: "connect to \(name)", code: errno) }
        guard try deadline.wait(for: POLLOUT, on: descriptor) else {
            throw .deadline(waitingFor: "a connection to \(name)", got: [])
        }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw .system(call: "connect to \(name)", code: code) }
    }

    // MARK: Options

    /// Sets the kernel's receive buffer.
    static func setReceiveBuffer(_ bytes: Int, on descriptor: Int32) throws(ClientError) {
        try set(SO_RCVBUF, at: SOL_SOCKET, to: Int32(clamping: bytes), on: descriptor)
    }

    /// Sets an option of a socket.
    static func set<Value: BitwiseCopyable>(
        _ option: Int32, at level: Int32, to value: Value, on descriptor: Int32
    ) throws(ClientError) {
        let result = withUnsafePointer(to: value) {
            setsockopt(descriptor, level, option, $0, socklen_t(MemoryLayout<Value>.size))
        }
        guard result == 0 else { throw .system(call: "setsockopt", code: errno) }
    }
}
