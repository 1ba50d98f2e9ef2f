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
