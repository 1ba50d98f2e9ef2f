// The answers of the clients' port to requests that are not for a WebSocket: the demo page, a health check, and otherwise the
// advice to upgrade. The demo page is for clients on this machine.
//
// Allocates: the page once.

import EventLoop
import HTTP1
import Proxies
package import Settings

/// The plain HTTP answers of the clients' port. Immutable, so all workers share one.
package struct PlainPages: Sendable {
    private let demo: [UInt8]
    private let audience: Configuration.Demo

    /// - Parameters:
    ///   - adminURL: the admin API's URL before `/v1`, for the page's `curl` lines.
    ///   - adminSocket: the file that `curl --unix-socket` needs besides; nil when the API has a port.
    ///   - audience: the clients that get the page.
    package init(adminURL: String, adminSocket: String?, for audience: Configuration.Demo) {
        let page = String(decoding: PackageResources.demo_html, as: UTF8.self)
        demo = Array(
            page.replacing("{{ADMIN}}", with: adminURL).replacing("{{VERSION}}", with: PerigeeVersion.text)
                .replacing("{{SOCKET}}", with: Self.escaped(adminSocket ?? "")).utf8)
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
