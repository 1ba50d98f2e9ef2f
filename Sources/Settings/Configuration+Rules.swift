// Rules between keys, beyond the range of each.

import PubSub

extension Configuration {
    /// A broken rule.
    struct Breach: Equatable {
        /// The keys that the rule is about; the one to change first.
        let keys: [String]
        let message: String
    }

    /// The rules between keys that are broken.
    var breaches: [Breach] {
        [
            openAdmin, sharedPort, nobodysHeader, adminWithoutCertificate, clientsWithoutCertificate,
            clientsWithoutAuthority, slowConsumersTwice,
        ].compactMap(\.self)
    }

    /// A peer of the admin API without a key may do everything.
    private var openAdmin: Breach? {
        guard admin.keys.isEmpty, !admin.listen.isLoopback else { return nil }
        return Breach(
            keys: ["admin.listen", "admin.keys"],
            message: "\(admin.listen) is reachable from other machines and admin.keys is empty; "
                + "configure a key, or listen on a loopback address such as \(ListenAddress.loopback(port: 9080))")
    }

    /// The server would refuse every connection.
    private var nobodysHeader: Breach? {
        guard proxies.protocol, proxies.trusted.isEmpty, listen.unixPath == nil else { return nil }
        return Breach(
            keys: ["proxies.protocol", "proxies.trusted"],
            message: "the PROXY protocol is asked for and proxies.trusted is empty; list the networks of the proxies")
    }

    private var adminWithoutCertificate: Breach? {
        guard admin.tls, tls.certificates.isEmpty else { return nil }
        return Breach(
            keys: ["admin.tls", "tls.certificates"], message: "TLS needs a certificate; tls.certificates is empty")
    }

    private var clientsWithoutCertificate: Breach? {
        guard tls.clientCertificates != .none, tls.certificates.isEmpty else { return nil }
        return Breach(
            keys: ["tls.clientCertificates", "tls.certificates"],
            message: "clients are asked for certificates over TLS only; tls.certificates is empty")
    }

    /// Anybody can sign a certificate.
    private var clientsWithoutAuthority: Breach? {
        guard tls.clientCertificates != .none, tls.clientCA.isEmpty else { return nil }
        return Breach(
            keys: ["tls.clientCertificates", "tls.clientCA"],
            message: "clients' certificates cannot be verified without an authority; set tls.clientCA")
    }

    /// A channel's policy would stand in two places.
    private var slowConsumersTwice: Breach? {
        guard !channels.isEmpty, !websocket.slowConsumers.isEmpty else { return nil }
        return Breach(
            keys: ["websocket.slowConsumers", "channels"],
            message: "channels has the policies; give each pattern there its slow, as in {slow: conflate}")
    }

    /// The kernel would spread connections between the two, instead of refusing the second.
    private var sharedPort: Breach? {
        let isSamePort = admin.listen.port == listen.port && listen.port != 0
        let isSameHost = admin.listen.host == listen.host || admin.listen.isWildcard || listen.isWildcard
        let isSameFile = admin.listen.unixPath != nil && admin.listen.unixPath == listen.unixPath
        guard isSameFile || (isSamePort && isSameHost) else { return nil }
        return Breach(
            keys: ["admin.listen", "listen"], message: "\(admin.listen) overlaps the clients' address \(listen)")
    }
}
