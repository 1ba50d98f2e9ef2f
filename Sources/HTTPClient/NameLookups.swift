// The names of hosts that requests go to. Only so many look-ups run at once, those that nobody waits for any more included: a
// name server that does not answer must not cost a thread for each request. Requests for the same name share one look-up.
//
// Runs on: its loop's thread.
// Allocates: for each look-up.
// Read next: LookupThread.swift

import DequeModule
import EventLoop

/// Looks up names for the requests of one client.
final class NameLookups {
    /// Told the addresses; none when there is no such name.
    typealias Completion = ([SocketAddress]) -> Void

    /// How long an answer is good for, in milliseconds.
    private static let lifetime: UInt64 = 60_000
    /// So many answers are kept.
    private static let mostKept = 1_000

    private let loop: EventLoop
    private let limit: Int
    private let door = LookupDoor()
    private var source: LookupSource?
    /// Names whose look-up runs.
    private var running: Set<String> = []
    /// Names whose look-up has to wait for another to end.
    private var queue: Deque<String> = []
    private var waiters: [String: [RequestID: Completion]] = [:]
    private var known: [String: (addresses: [SocketAddress], until: UInt64)] = [:]

    /// - Parameter limit: look-ups that run at once.
    init(on loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
    }

    deinit { if let source { loop.remove(source) } }

    /// Look-ups that run, those that nobody waits for any more included.
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

    /// Forgets who waits and what is known.
    func clear() {
        waiters = [:]
        queue = []
        known = [:]
    }

    private func startNext() {
        while running.count < limit, let name = queue.popFirst() {
            openSource()
            running.insert(name)
            if !LookupThread.start(name, door) { door.post(FoundName(name: name, addresses: [])) }
        }
    }

    /// Made with the first look-up: most clients never have one.
    private func openSource() {
        guard source == nil else { return }
        let source = LookupSource(door) { [weak self] in self?.takeFound() }
        self.source = source
        loop.add(source, for: .readable)
    }

    private func takeFound() {
        for found in door.take() {
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
