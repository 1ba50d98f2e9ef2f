// The PROXY protocol, versions 1 and 2: what a load balancer writes in front of a connection's own bytes to say whose connection
// it is. Read from the bytes so far, so it can come in whatever pieces; nothing is kept between calls.
//
// Allocates: a few short strings for version 1, nothing for version 2.
// Read next: ProxyHeader+Text.swift, ProxyHeader+Binary.swift.

public import EventLoop

/// The header of the PROXY protocol (haproxy.org, doc/proxy-protocol.txt).
public enum ProxyHeader {
    /// What the bytes so far are.
    public enum Outcome: Equatable, Sendable {
        /// The beginning of a header.
        case needMore
        /// A whole header, `length` bytes long; the connection's own bytes follow.
        /// - source: who connected to the proxy; nil when it does not say, or speaks for itself (a health check).
        case header(source: SocketAddress?, length: Int)
        /// No header, whatever may follow.
        case failure(Failure)
    }

    /// Why bytes are no header.
    public enum Failure: Equatable, Sendable {
        /// They begin with neither version's signature.
        case noSignature
        /// The header is longer than it may be.
        case tooLong
        /// It has the signature, and then something that the protocol does not allow.
        case malformed
        /// Its checksum is not that of its bytes.
        case wrongChecksum
    }

    /// The longest header in bytes: version 1 has at most 107, version 2 as much as we put up with. The addresses take 52 (232 on
    /// UNIX sockets); the rest is for extensions, such as the names in a client's certificate.
    public static let longest = 4096

    /// Reads the header at the beginning of `bytes`: all that has come so far, from the first one on.
    public static func read(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let first = bytes.first else { return .needMore }
        if first == textSignature[0] { return readText(bytes) }
        if first == binarySignature[0] { return readBinary(bytes) }
        return .failure(.noSignature)
    }

    /// Whether as many of the bytes as there are agree with the signature.
    static func agrees(_ bytes: UnsafeRawBufferPointer, with signature: [UInt8]) -> Bool {
        zip(bytes, signature).allSatisfy { $0 == $1 }
    }
}
