// The look-up of the names of hosts. The number of look-ups that run at once is limited, including those that no
// request waits for any more: a name server that does not answer must not cost a thread for each request. Requests for
// the same name share one look-up.
//
// Runs on: its loop's thread.
// Allocates: for each look-up.
// Read next: LookupThread.swift.

import DequeModule
import EventLoop

/// Looks up names for the requests of one client.
final class NameLookups {
    /// Called with the addresses; there are none if the name does not exist.
    typealias Completion = ([SocketAddress]) -> Void

    /// The time in milliseconds for which an answer is kept.
    private static let lifetime: UInt64 = 60_000
    /// The most answers that are kept.
    private static let mostKept = 1_000

    private let loop: EventLoop
    private let limit: Int
    private let mailbox = LookupMailbox()
    private var source: LookupSource?
    /// The names that are being looked up.
    private var running: Set<String> = []
    /// The names whose look-up waits for another one to end.
    private var queue: Deque<String> = []
    private var waiters: [String: [RequestID: Completion]] = [:]
    private var known: [String: (addresses: [SocketAddress], until: UInt64)] = [:]

    /// - Parameter limit: the most look-ups that run at once.
    init(on loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
    }

    deinit { if let source { loop.remove(source) } }

    /// The number of look-ups that run, including those that no request waits for any more.
    var runningCount: Int { running.count }

    /// The addresses of a name, if they are known already.
    func addresses(of name: String) -> [SocketAddress]? {
        guard let answer = known[name] else { return nil }
        if answer.until > loop.now { return answer.addresses }
        known[name] = nil
        return nil
    }

    /// Looks a name up, as soon as one more look-up may run.
    /// - Parameter completion: called in a later turn, unless `cancel` comes first.
    func find(_ name: String, for id: RequestID, completion: @escaping Completion) {
        let isAwaited = waiters[name] != nil
        waiters[name, default: [:]][id] = completion
        guard !isAwaited, !running.contains(name) else { return }
        queue.append(name)
        startNext()
    }

    /// The request does not wait for the name any more. A look-up that runs goes on: it cannot be stopped.
    func cancel(_ id: RequestID, for name: String) {
        guard waiters[name]?.removeValue(forKey: id) != nil, waiters[name]?.isEmpty == true else { return }
        waiters[name] = nil
        queue.removeAll { $0 == name }
    }

    /// Forgets all waiting requests and all known addresses.
    func clear() {
        waiters = [:]
        queue = []
        known = [:]
    }

    private func startNext() {
        while running.count < limit, let name = queue.popFirst() {
            openSource()
            running.insert(name)
            if !LookupThread.start(name, mailbox) { mailbox.post(FoundName(name: name, addresses: [])) }
        }
    }

    /// Made with the first look-up, because most clients never make one.
    private func openSource() {
        guard source == nil else { return }
        let source = LookupSource(mailbox) { [weak self] in self?.takeFound() }
        self.source = source
        loop.add(source, for: .readable)
    }

    private func takeFound() {
        for found in mailbox.take() {
            running.remove(found.name)
            if !found.addresses.isEmpty { keep(found) }
            let told = waiters.removeValue(forKey: found.name) ?? [:]
            startNext()
            for (_, completion) in told.sorted(by: { $0.key.number < $1.key.number }) { completion(found.addresses) }
        }
    }

    private func keep(_ found: FoundName) {
        if known.count >= Self.mostKept {
            known = known.filter { $0.value.until > loop.now }
            if known.count >= Self.mostKept { known = [:] }
        }
        known[found.name] = (found.addresses, loop.now + Self.lifetime)
    }
}
