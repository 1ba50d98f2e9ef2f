// Hosts that only a client on this machine asks for.

import EventLoop

/// Names of the loopback interface. A request for one of them was not sent through a proxy that kept its own Host, nor by a web page
/// whose name was made to lead here (DNS rebinding).
public enum LocalName {
    /// Whether the host of a request is `localhost` or a loopback address, with any port.
    public static func isMeant(by host: String?) -> Bool {
        guard let host else { return false }
        var name = Substring(host)
        if name.hasPrefix("[") {
            name = name.dropFirst().prefix { $0 != "]" }
        } else {
            name = name.prefix { $0 != ":" }
        }
        if name.lowercased() == "localhost" { return true }
        return SocketAddress(host: String(name), port: 0)?.isLoopback ?? false
    }
}
