// A loop that a test drives by hand, with a client and a server on it.

import CLinux
import EventLoop
import HTTPClient

typealias Client = HTTPClient

final class Stage {
    typealias Answer = Result<HTTPClientResponse, HTTPClientError>

    let loop: EventLoop
    let backend: Backend
    let client: Client

    init(
        settings: HTTPClientSettings = HTTPClientSettings(), security: TLSContext? = nil
    ) throws {
        loop = EventLoop()
        backend = try Backend(on: loop, security: security)
        client = Client(on: loop, settings: settings)
    }

    /// Turns until `condition` holds; false if it does not hold within `limit` milliseconds.
    @discardableResult
    func turn(atMost limit: UInt64 = 10_000, until condition: () -> Bool) -> Bool {
        let end = clinux_monotonic_nanoseconds() + limit * 1_000_000
        while !condition() {
            guard clinux_monotonic_nanoseconds() < end else { return false }
            loop.turn(waitingAtMost: 2)
        }
        return true
    }

    /// The client's result for a request; nil if there is none.
    func ask(_ request: HTTPClientRequest) -> Answer? {
        var answer: Answer?
        client.start(request) { answer = $0 }
        turn { answer != nil }
        return answer
    }

    func get(_ url: String, redirects: Int = 0) throws -> Answer? {
        var request = try HTTPClientRequest(.get, url)
        request.redirects = redirects
        return ask(request)
    }

    func get(path: String = "/", redirects: Int = 0) throws -> Answer? {
        try get(backend.url(path), redirects: redirects)
    }

    /// The error of a GET of the server's root.
    func failure(_ change: (inout HTTPClientRequest) -> Void = { _ in }) throws -> HTTPClientError.Reason? {
        var request = try HTTPClientRequest(.get, backend.url())
        change(&request)
        return ask(request)?.reason
    }
}

extension Result where Success == HTTPClientResponse, Failure == HTTPClientError {
    var reason: HTTPClientError.Reason? {
        if case .failure(let error) = self { return error.reason }
        return nil
    }

    var response: HTTPClientResponse? { try? get() }

    /// The body as text.
    var text: String? { response.map { String(decoding: $0.body, as: UTF8.self) } }
}
