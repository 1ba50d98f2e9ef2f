// Variables of others: Kubernetes puts some for every Service of the namespace into every container, and Docker for every linked
// container. Those of a Service named `perigee`, or `perigee-admin`, begin as ours do.

/// Tells the variables of Kubernetes Services and Docker links from ours.
struct LinkVariables {
    private static let protocols = ["tcp", "udp", "sctp"]
    /// The names before `_PORT` of all links, as PERIGEE of PERIGEE_PORT.
    private let links: Set<String>

    init(in environment: [String: String]) {
        links = Set(
            environment.compactMap { name, value in
                name.hasSuffix("_PORT") && Self.isAddress(value) ? String(name.dropLast("_PORT".count)) : nil
            })
    }

    /// Whether an unknown variable belongs to a link. The form of its value counts where an operator may have meant the name:
    /// `PERIGEE_PORT=tcp://10.0.0.7:8080` belongs to a link, `PERIGEE_PORT=8080` does not.
    func contains(_ name: String, value: String) -> Bool {
        isAboutService(name, value) || isAboutPort(name, value) || isAboutContainer(name, value)
    }

    /// `_SERVICE_HOST`, `_SERVICE_PORT` and `_SERVICE_PORT_HTTP`.
    private func isAboutService(_ name: String, _ value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") { return true }
        return (name.hasSuffix("_SERVICE_PORT") || name.contains("_SERVICE_PORT_")) && UInt16(value) != nil
    }

    /// `_PORT` with an address, `_PORT_8080_TCP`, and that with `_ADDR`, `_PORT` or `_PROTO`.
    private func isAboutPort(_ name: String, _ value: String) -> Bool {
        if name.hasSuffix("_PORT"), Self.isAddress(value) { return true }
        var words = name.split(separator: "_", omittingEmptySubsequences: false)
        if let last = words.last, ["ADDR", "PORT", "PROTO"].contains(last) { words.removeLast() }
        guard words.count >= 4, words[words.count - 3] == "PORT" else { return false }
        return UInt16(words[words.count - 2]) != nil && Self.protocols.contains(words[words.count - 1].lowercased())
    }

    /// Docker's `_NAME` and `_ENV_…` beside the `_PORT` of the same link.
    private func isAboutContainer(_ name: String, _ value: String) -> Bool {
        links.contains { link in
            name.hasPrefix(link + "_ENV_") || (name == link + "_NAME" && value.hasPrefix("/"))
        }
    }

    /// `tcp://10.0.0.7:8080`.
    private static func isAddress(_ value: String) -> Bool {
        protocols.contains { value.hasPrefix($0 + "://") }
    }
}
