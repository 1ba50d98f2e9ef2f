// The settings of a port that speaks TLS: its certificates and keys, read from their files, its rules, and the keys of
// its session tickets. A file is read whole and its bytes are kept, so the bytes that are loaded are the bytes that
// were read, and a comparison tells whether a renewal has changed anything.
//
// Runs on: a thread that may block.
// Read next: TLSContext.swift.

import COpenSSL
import Glibc

/// The certificates and the rules of a port that speaks TLS.
public struct TLSSettings: Sendable, Equatable {
    /// A certificate, with the chain behind it, and its private key.
    public struct Certificate: Sendable, Equatable {
        let certificate: TLSFile
        let key: TLSFile

        /// Names the files of a pair.
        public init(certificate: TLSFile, key: TLSFile) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The oldest version of the protocol that is spoken.
    public enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// Whether clients have to show a certificate.
    public enum ClientCertificates: String, Sendable, CaseIterable {
        /// Clients are not asked for a certificate.
        case none
        /// Clients are asked, and a certificate that they show must be valid.
        case optional
        /// Without a valid certificate there is no connection.
        case required
    }

    /// The first is for clients that name no server, or a server without a certificate.
    public var certificates: [Certificate]
    public var minVersion = Version.tls12
    public var clientCertificates = ClientCertificates.none
    /// The authority that signs the certificates of clients.
    public var clientCA: TLSFile?

    /// Settings with one or more certificates.
    public init(certificates: [Certificate]) { self.certificates = certificates }
}

/// The content of a PEM file.
public struct TLSFile: Sendable, Equatable {
    /// The limit in bytes: more than any chain of certificates has.
    private static let limit = 1 << 20

    let path: String
    let bytes: [UInt8]

    /// Reads the file, which is at most 1 MiB.
    public init(_ path: String) throws(TLSError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.limit {
            let count = read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw Self.unreadable(path) }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        guard bytes.count <= Self.limit else { throw TLSError("\(path): larger than 1 MiB") }
        self.path = path
        self.bytes = bytes
    }

    private static func unreadable(_ path: String) -> TLSError {
        TLSError("\(path): \(String(cString: strerror(errno)))")
    }
}

/// Random keys that every context of a process shares; they never leave it.
public struct TLSTicketKeys: Sendable {
    /// Name, HMAC key and encryption key, as OpenSSL takes them.
    static let count = 80

    let bytes: [UInt8]

    /// New keys.
    public init() {
        var bytes = [UInt8](repeating: 0, count: Self.count)
        precondition(RAND_bytes(&bytes, Int32(bytes.count)) == 1, "no random numbers for session tickets")
        self.bytes = bytes
    }
}

/// TLS cannot be set up.
public struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence, for a person.
    public let description: String

    init(_ description: String) { self.description = description }

    /// OpenSSL's last error on this thread; its queue of errors is empty afterwards.
    static func takeReason() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "unknown reason"
    }
}
