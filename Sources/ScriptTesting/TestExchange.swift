// The requests of scripts under test to other servers, and the answers that the test has for them.

import Scripting

struct TestExchange {
    /// An answer for one request: the first that fits.
    struct Reply {
        /// Empty for any.
        let url: String
        /// Empty for any.
        let method: String
        let answer: WaitAnswer
        let delay: Double

        func fits(_ request: ScriptRequest) -> Bool {
            (url.isEmpty || url == request.url) && (method.isEmpty || method == request.method)
        }
    }

    /// Requests that the test has not asked about.
    var recorded: [ScriptRequest] = []
    private var open: [(ticket: WaitTicket, request: ScriptRequest)] = []
    private var replies: [Reply] = []
    /// Answers on their way to a waiting handler.
    private var onTheWay: [WaitTicket: WaitAnswer] = [:]

    mutating func add(_ request: ScriptRequest, _ ticket: WaitTicket) {
        recorded.append(request)
        open.append((ticket, request))
    }

    mutating func add(_ reply: Reply) { replies.append(reply) }

    /// A request and a reply that fit each other, both in their order; the reply is then on its way.
    mutating func match() -> (ticket: WaitTicket, delay: Double)? {
        for (index, entry) in open.enumerated() {
            guard let fitting = replies.firstIndex(where: { $0.fits(entry.request) }) else { continue }
            let reply = replies.remove(at: fitting)
            open.remove(at: index)
            onTheWay[entry.ticket] = reply.answer
            return (entry.ticket, reply.delay)
        }
        return nil
    }

    /// The answer for a handler whose time has come; a timeout if there is none.
    mutating func takeAnswer(_ ticket: WaitTicket) -> WaitAnswer {
        open.removeAll { $0.ticket == ticket }
        return onTheWay.removeValue(forKey: ticket) ?? .requestFailed("timeout", detail: "")
    }
}
