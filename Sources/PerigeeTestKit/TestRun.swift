// The settings of a whole run of tests: whether its servers speak TLS, which ports do, and whether a sanitizer is part of the
// process.
//
// Read next: TestServer.swift, TLS/RawSocket+TLS.swift.

import Glibc
import Synchronization

/// Whether the servers of this run of tests speak TLS: `PERIGEETEST_TLS=1` in the environment.
public let testsRunOverTLS = getenv("PERIGEETEST_TLS").map { String(cString: $0) == "1" } ?? false

/// The ports of running test servers that speak TLS, so that a test's clients find out by themselves.
enum ServedPorts {
    private static let secure = Mutex<[Int: TLSOptions]>([:])

    static func register(_ port: UInt16, _ options: TLSOptions) { secure.withLock { $0[Int(port)] = options } }

    static func forget(_ port: UInt16) { secure.withLock { $0[Int(port)] = nil } }

    /// The client's options for a port; nil for a plain connection.
    static func options(_ security: Security, port: Int) -> TLSOptions? {
        switch security {
        case .asServed: secure.withLock { $0[port] }
        case .plain: nil
        case .tls(let options): options
        }
    }
}

/// A server in a process of its own, in a run of tests over TLS.
public enum SecureProgram {
    /// The variables that make a server speak TLS on both ports; empty in a run without TLS.
    public static var environment: [String: String] {
        guard testsRunOverTLS else { return [:] }
        let files = TestAuthority.certificate
        return ["PERIGEE_TLS_CERTIFICATES": "\(files.certificate)=\(files.key)", "PERIGEE_ADMIN_TLS": "true"]
    }

    /// The variables with which a command finds and trusts that server.
    public static var commandEnvironment: [String: String] {
        testsRunOverTLS ? environment.merging(["CURL_CA_BUNDLE": TestAuthority.shared.path]) { $1 } : [:]
    }

    /// Makes the clients of the kit speak TLS with a server's ports.
    public static func register(_ ports: [UInt16]) {
        guard testsRunOverTLS else { return }
        for port in ports { ServedPorts.register(port, TLSOptions(authority: TestAuthority.shared.path)) }
    }

    public static func forget(_ ports: [UInt16]) {
        for port in ports { ServedPorts.forget(port) }
    }
}

/// The sanitizer of this build. Memory and time of such a build say nothing about a server's.
public enum Sanitizer {
    /// Whether AddressSanitizer or ThreadSanitizer is part of this process.
    public static let isActive: Bool = {
        let process = dlopen(nil, RTLD_NOW)
        return ["__asan_init", "__tsan_init"].contains { (name: String) in dlsym(process, name) != nil }
    }()
}
