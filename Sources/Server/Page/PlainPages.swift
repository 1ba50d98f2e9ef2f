// What the clients' port answers to a request that is not for a WebSocket: the demo page, a health check, and otherwise the
// advice to upgrade.
//
// Allocates: the page once.

import HTTP1

/// The plain HTTP answers of the clients' port. Immutable, so all workers share one.
struct PlainPages: Sendable {
    private let demo: [UInt8]?

    /// - Parameter admin: where the admin API is, for the page's `curl` lines; nil when the page is switched off.
    init(admin: AdminPlace?) {
        demo = admin.map { admin in
            let page = String(decoding: PackageResources.demo_html, as: UTF8.self)
            return Array(
                page.replacing("{{ADMIN}}", with: admin.url).replacing("{{VERSION}}", with: PerigeeVersion.text)
                    .replacing("{{SOCKET}}", with: Self.escaped(admin.socket ?? "")).utf8)
        }
    }

    /// The text as the value of an attribute.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("\"", with: "&quot;").replacing("<", with: "&lt;")
    }

    func response(to head: RequestHead) -> Response {
        guard head.method == .get || head.method == .head else { return Self.upgradeRequired }
        switch head.path {
        case "/healthz":
            return .text(200, "ok")
        case "/":
            guard let demo else { return Self.upgradeRequired }
            return Response(status: 200, fields: Self.pageFields, body: demo)
        default:
            return Self.upgradeRequired
        }
    }

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
