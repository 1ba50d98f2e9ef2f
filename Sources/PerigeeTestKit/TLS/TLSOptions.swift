// How a test's client speaks TLS.

/// What a client offers, trusts and shows.
public struct TLSOptions: Sendable {
    /// A version of the protocol.
    public enum Version: Int32, Sendable {
        case tls11 = 0x0302
        case tls12 = 0x0303
        case tls13 = 0x0304
    }

    /// The server name that is asked for, and that the server's certificate must then be for; nil asks for none.
    public var serverName: String?
    /// The PEM file of the authorities that are trusted; nil trusts everybody.
    public var authority: String?
    /// The PEM files of the client's certificate and its key.
    public var identity: TestCertificate?
    /// The application protocols that are offered (ALPN).
    public var protocols: [String] = []
    /// The one version that is spoken; nil leaves it to both sides.
    public var version: Version?
    /// An earlier session to continue.
    public var session: TLSTicket?

    public init(
        serverName: String? = nil, authority: String? = nil, identity: TestCertificate? = nil, protocols: [String] = [],
        version: Version? = nil, session: TLSTicket? = nil
    ) {
        self.serverName = serverName
        self.authority = authority
        self.identity = identity
        self.protocols = protocols
        self.version = version
        self.session = session
    }
}

/// Whether a connection of a test is encrypted.
public enum Security: Sendable {
    /// As the server of that port has it, where `withServer` started it; else not.
    case asServed
    case plain
    case tls(TLSOptions)
}
