// SocketAddress: what a host name and a port resolve to, or a UNIX socket's path, in the shape that `connect` takes.

import Glibc

/// One resolved IPv4 or IPv6 address with its port, or a path.
struct SocketAddress {
    let family: Int32
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

    /// All addresses of `host`, in the order in which the resolver prefers them.
    static func resolve(host: String, port: Int) throws(ClientError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw .unexpected("resolving \(host): \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next }).prefix { $0 != nil }.compactMap {
            $0.map { SocketAddress($0.pointee) }
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeBytes(of: storage) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length) }
    }
}
