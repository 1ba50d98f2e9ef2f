// What becomes of a request when a server says "look there" (RFC 9110, section 15.4).

extension HTTPClientRequest {
    /// Fields that go along to another origin: they describe the request, and say nothing that is between the script and the
    /// server it wrote to.
    private static let impersonal: Set<String> = ["accept", "accept-language", "content-type"]

    /// Whether a response with this status sends the request elsewhere.
    static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    /// The request for what the response's Location says, nil when it has none.
    func redirected(by response: HTTPClientResponse) throws(HTTPClientError) -> HTTPClientRequest? {
        guard let location = response.fields.first(where: { $0.name == "location" })?.text else { return nil }
        guard redirects > 0 else { throw HTTPClientError(.tooManyRedirects, location) }
        let target: RequestURL
        do {
            target = try url.following(location)
        } catch {
            throw HTTPClientError(.redirectRefused, error.description)
        }
        guard target.isSecure || !url.isSecure else {
            throw HTTPClientError(.redirectRefused, "from https to \(target.text)")
        }
        var next = self
        next.url = target
        next.redirects -= 1
        if !target.hasOrigin(of: url) { next.keepFields { Self.impersonal.contains($0) } }
        if response.status == 303 ? method != .head : method == .post && response.status < 303 { next.becomeGet() }
        return next
    }

    private mutating func becomeGet() {
        method = .get
        body = nil
        keepFields { !$0.hasPrefix("content-") }
    }
}
