// Which ports of this process speak TLS: what `withServer` started, so that a test's clients need not be told.

import Synchronization

/// The ports of running test servers.
enum ServedPorts {
    private static let secure = Mutex<[Int: TLSOptions]>([:])

    static func register(_ port: UInt16, _ options: TLSOptions) { secure.withLock { $0[Int(port)] = options } }

    static func forget(_ port: UInt16) { secure.withLock { $0[Int(port)] = nil } }

    /// How to speak with a port; nil for plain bytes.
    static func options(_ security: Security, port: Int) -> TLSOptions? {
        switch security {
        case .asServed: secure.withLock { $0[port] }
        case .plain: nil
        case .tls(let options): options
        }
    }
}

/// A program of its own in a run of tests over TLS.
public enum SecureProgram {
    /// What makes a program speak TLS on both ports; empty in a run of tests without.
    public static var environment: [String: String] {
        guard testsRunOverTLS else { return [:] }
        let files = TestAuthority.certificate
        return ["PERIGEE_TLS_CERTIFICATES": "\(files.certificate)=\(files.key)", "PERIGEE_ADMIN_TLS": "true"]
    }

    /// Makes the clients of the kit speak TLS with a program's ports.
    public static func register(_ ports: [UInt16]) {
        guard testsRunOverTLS else { return }
        for port in ports { ServedPorts.register(port, TLSOptions(authority: TestAuthority.shared.path)) }
    }

    public static func forget(_ ports: [UInt16]) {
        for port in ports { ServedPorts.forget(port) }
    }
}
