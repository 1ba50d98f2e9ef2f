// SocketAddress: what a host name and a port resolve to, in the shape that `connect` takes.

import Glibc

/// One resolved IPv4 or IPv6 address with its port.
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
