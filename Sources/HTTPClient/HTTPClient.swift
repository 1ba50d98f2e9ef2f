// Requests to other servers from an event loop. Nothing here waits; responses come by callback on the loop's thread.
//
// As many requests run as the settings allow. The next ones wait in the order in which they came, and when too many
// wait, one more is refused. Each has one time limit for everything.
//
// Runs on: its loop's thread.
// Allocates: for each request.
// Read next: HTTPClientRequest.swift, NameLookups.swift, Transfer.swift, CurlMulti.swift.

import CCurl
import DequeModule
public import EventLoop

/// Names a request of one client; never used again.
public struct RequestID: Hashable, Sendable {
    let number: UInt64
}

/// An HTTP client that shares its connections among all requests.
public final class HTTPClient {
    public typealias Completion = (Result<HTTPClientResponse, HTTPClientError>) -> Void

    private enum State {
        case running, waiting, refused
    }

    /// A request between `start` and its end.
    private struct Exchange {
        var request: HTTPClientRequest
        let followsRedirects: Bool
        let completion: Completion
        var state = State.refused
        var timer: TimerID?
        /// The hop that is running.
        var transfer: Transfer?
        /// The name that is being looked up for the next hop, and the end of the time for it.
        var lookup: (name: String, timer: TimerID)?
    }

    public let settings: HTTPClientSettings
    public var counts: HTTPClientCounts {
        var counts = tally
        counts.lookups = names.runningCount
        return counts
    }

    private var tally = HTTPClientCounts()
    private let names: NameLookups
    private let loop: EventLoop
    private var multi: CurlMulti?
    private var exchanges: [RequestID: Exchange] = [:]
    private var waiting: Deque<RequestID> = []
    private var lastNumber: UInt64 = 0

    public init(on loop: EventLoop, settings: HTTPClientSettings = HTTPClientSettings()) {
        self.loop = loop
        self.settings = settings
        names = NameLookups(on: loop, limit: settings.lookups)
    }

    deinit { close() }

    /// Ends all requests without calling their completions, and closes all connections. The client may be used again.
    public func close() {
        for exchange in exchanges.values {
            if let timer = exchange.timer { loop.cancel(timer) }
            if let lookup = exchange.lookup { loop.cancel(lookup.timer) }
            if let transfer = exchange.transfer { multi?.remove(transfer) }
        }
        names.clear()
        exchanges = [:]
        waiting = []
        multi?.close()
        multi = nil
        tally.running = 0
        tally.waiting = 0
    }

    /// Sends a request as soon as one more may run.
    /// - Parameter completion: called once, on the loop's thread, after this function has returned.
    @discardableResult
    public func start(_ request: HTTPClientRequest, completion: @escaping Completion) -> RequestID {
        lastNumber += 1
        let id = RequestID(number: lastNumber)
        tally.requests += 1
        exchanges[id] = Exchange(
            request: request, followsRedirects: request.redirects > 0, completion: completion)
        if tally.running < settings.concurrent {
            run(id)
        } else if tally.waiting < settings.queued {
            wait(id)
        } else {
            refuse(id)
        }
        return id
    }

    /// Ends a request, which is then never completed; false when it is over already.
    @discardableResult
    public func cancel(_ id: RequestID) -> Bool {
        guard take(id) != nil else { return false }
        tally.cancelled += 1
        runNext()
        return true
    }

    // MARK: Running

    private func run(_ id: RequestID) {
        tally.running += 1
        exchanges[id]!.state = .running
        limitTime(of: id)
        begin(id)
    }

    private func wait(_ id: RequestID) {
        tally.waiting += 1
        exchanges[id]!.state = .waiting
        waiting.append(id)
        limitTime(of: id)
    }

    /// Not at the end of this turn but in a later one: a caller that asks again at once must not keep the loop.
    private func refuse(_ id: RequestID) {
        exchanges[id]!.timer = loop.schedule(after: 1) { [weak self, settings] in
            let detail = "\(settings.concurrent) are running and \(settings.queued) are waiting"
            self?.finish(id, .failure(HTTPClientError(.tooManyRequests, detail)))
        }
    }

    /// Sets one time limit for waiting, all hops, and the response.
    private func limitTime(of id: RequestID) {
        guard let exchange = exchanges[id], exchange.timer == nil else { return }
        let limit = exchange.request.timeout ?? settings.timeout
        exchanges[id]!.timer = loop.schedule(after: limit) { [weak self] in
            self?.finish(id, .failure(HTTPClientError(.timeout, "no response within \(limit) ms")))
        }
    }

    private func begin(_ id: RequestID) {
        guard let request = exchanges[id]?.request else { return }
        guard let name = request.url.nameToLookUp else { return begin(id, at: nil, after: 0) }
        if let addresses = names.addresses(of: name) { return begin(id, at: addresses, after: 0) }
        let start = loop.now
        let timer = loop.schedule(after: settings.connectTimeout) { [weak self, settings] in
            guard let self, self.exchanges[id]?.lookup?.name == name else { return }
            self.finish(id, .failure(HTTPClientError(.timeout, "no address within \(settings.connectTimeout) ms")))
        }
        exchanges[id]!.lookup = (name, timer)
        names.find(name, for: id) { [weak self] addresses in
            guard let self, let lookup = self.exchanges[id]?.lookup, lookup.name == name else { return }
            self.loop.cancel(lookup.timer)
            self.exchanges[id]!.lookup = nil
            if addresses.isEmpty {
                self.finish(id, .failure(HTTPClientError(.unknownHost, "Could not resolve host: \(name)")))
            } else {
                self.begin(id, at: addresses, after: self.loop.now - start)
            }
        }
    }

    /// Sends the request to the addresses that its host has; nil where the host is an address.
    /// - Parameter spent: the milliseconds of the time for connecting that are over.
    private func begin(_ id: RequestID, at addresses: [SocketAddress]?, after spent: UInt64) {
        guard let request = exchanges[id]?.request else { return }
        let time = max(1, settings.connectTimeout - min(spent, settings.connectTimeout))
        let transfer = Transfer(request, id: id, settings: settings, addresses: addresses, connectTime: time)
        exchanges[id]!.transfer = transfer
        openMulti().add(transfer)
    }

    /// Made with the first request, because most servers never make one.
    private func openMulti() -> CurlMulti {
        if let multi { return multi }
        let multi = CurlMulti(on: loop, idleConnections: settings.idleConnections) { [unowned self] in ended($0, $1) }
        self.multi = multi
        return multi
    }

    private func runNext() {
        while tally.running < settings.concurrent, let next = waiting.popFirst() {
            tally.waiting -= 1
            run(next)
        }
    }

    private func ended(_ transfer: Transfer, _ code: CURLcode) {
        let id = transfer.id
        guard let exchange = exchanges[id] else { return }
        exchanges[id]!.transfer = nil
        let result = transfer.result(code)
        guard case .success(let response) = result, exchange.followsRedirects,
            HTTPClientRequest.isRedirect(response.status)
        else { return finish(id, result) }
        do throws(HTTPClientError) {
            guard let next = try exchange.request.redirected(by: response) else { return finish(id, result) }
            exchanges[id]!.request = next
            begin(id)
        } catch {
            finish(id, .failure(error))
        }
    }

    private func finish(_ id: RequestID, _ result: Result<HTTPClientResponse, HTTPClientError>) {
        guard let exchange = take(id) else { return }
        tally.add(result)
        // A request that has waited runs before any that the completion starts.
        runNext()
        exchange.completion(result)
    }

    /// Removes a request; nil if it is over already.
    private func take(_ id: RequestID) -> Exchange? {
        guard let exchange = exchanges.removeValue(forKey: id) else { return nil }
        if let timer = exchange.timer { loop.cancel(timer) }
        if let lookup = exchange.lookup {
            loop.cancel(lookup.timer)
            names.cancel(id, for: lookup.name)
        }
        if let transfer = exchange.transfer { multi?.remove(transfer) }
        switch exchange.state {
        case .running: tally.running -= 1
        case .waiting:
            waiting.removeAll { $0 == id }
            tally.waiting -= 1
        case .refused: break
        }
        return exchange
    }
}
