// The answers of the clients' port to requests that are not for a WebSocket: the demo page, a health check, and otherwise the advice
// to upgrade. The demo page is for clients on this machine; `LocalName` helps to tell them.
//
// Allocates: the page once.

import EventLoop
import HTTP1
import Settings

/// The admin API's place in a command line for `curl`.
struct AdminPlace: Sendable {
    /// The URL before `/v1`.
    let url: String
    /// The file that `--unix-socket` names.
    let socket: String?

    /// - Parameter path: that of its socket file, if it has one.
    init(_ address: SocketAddress, path: String?, isSecure: Bool) {
        let scheme = isSecure ? "https" : "http"
        url = "\(scheme)://" + (path == nil ? address.reachable : "localhost")
        socket = path
    }
}

/// Names of the loopback interface. A request for one of them was not sent through a proxy that kept its own Host, nor by a web page
/// whose name was made to lead here (DNS rebinding).
enum LocalName {
    /// Whether the host of a request is `localhost` or a loopback address, whatever its port.
    static func isMeant(by host: String?) -> Bool {
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

/// The plain HTTP answers of the clients' port. Immutable, so all workers share one.
struct PlainPages: Sendable {
    private let demo: [UInt8]
    private let audience: Configuration.Demo

    /// - Parameters:
    ///   - admin: where the admin API is, for the page's `curl` lines.
    ///   - audience: the clients that get the page.
    init(admin: AdminPlace, for audience: Configuration.Demo) {
        let page = String(decoding: PackageResources.demo_html, as: UTF8.self)
        demo = Array(
            page.replacing("{{ADMIN}}", with: admin.url).replacing("{{VERSION}}", with: PerigeeVersion.text)
                .replacing("{{SOCKET}}", with: Self.escaped(admin.socket ?? "")).utf8)
        self.audience = audience
    }

    /// The text as the value of an attribute.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("\"", with: "&quot;").replacing("<", with: "&lt;")
    }

    func response(to head: RequestHead, from peer: SocketAddress) -> Response {
        guard head.method == .get || head.method == .head else { return Self.upgradeRequired }
        switch head.path {
        case "/healthz":
            return .text(200, "ok")
        case "/":
            guard mayHaveDemo(head, from: peer) else { return Self.upgradeRequired }
            return Response(status: 200, fields: Self.pageFields, body: demo)
        default:
            return Self.upgradeRequired
        }
    }

    private func mayHaveDemo(_ head: RequestHead, from peer: SocketAddress) -> Bool {
        switch audience {
        case .everybody: true
        case .nobody: false
        case .loopback: Self.isLocal(head, from: peer)
        }
    }

    /// Whether the client is on this machine. A proxy on this machine asks for others: it says so in a field, asks through a UNIX
    /// socket, or asks for a name that is not this machine's. nginx as it is shipped does
    /// none of that, but speaks HTTP/1.0, which no browser does.
    private static func isLocal(_ head: RequestHead, from peer: SocketAddress) -> Bool {
        guard head.minorVersion > 0, !peer.isUnix, peer.isLoopback, LocalName.isMeant(by: head.host) else {
            return false
        }
        return !proxyFields.contains { head.first($0) != nil }
    }

    private static let proxyFields = [
        "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
    ]

    private static let pageFields = [
        (name: "Content-Type", value: "text/html; charset=utf-8"),
        (name: "Cache-Control", value: "no-store"),
        (name: "X-Content-Type-Options", value: "nosniff"),
        (name: "Referrer-Policy", value: "no-referrer"),
        (
            name: "Content-Security-Policy",
            value: "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                + "connect-src 'self' ws: wss:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ]

    private static var upgradeRequired: Response {
        var response = Response.text(426, "this is a WebSocket server: connect with ws://")
        response.fields.append((name: "Upgrade", value: "websocket"))
        return response
    }
}
