// What became of a push, and how its answer says so.

import JSON
import PubSub

/// The outcome of one push to one channel or audience.
struct PushOutcome {
    let id: String
    /// Nil for a push to connections.
    let channel: Channel?
    let position: StreamPosition?
    let count: DeliveryCount
    /// False when a worker had not answered in time; the counts are then of those that had.
    let isComplete: Bool
    /// The script version that was live.
    let version: UInt64

    func write(to members: inout JSONOutput.Members) {
        members.add("id", id)
        if let channel { members.add("channel", channel.name) }
        if let position {
            members.add("offset", position.offset)
            members.add("epoch", Base32.text(of: position.epoch))
        }
        members.add("matched", count.matched)
        members.add("queued", count.queued)
        members.add("dropped", count.dropped)
        if count.displaced > 0 { members.add("displaced", count.displaced) }
        members.add("version", version)
        if !isComplete { members.add("complete", false) }
    }
}

extension AdminCall {
    /// Answers a push to one target.
    func finish(_ result: Result<[PushOutcome], AdminError>) {
        switch result {
        case .success(let outcomes): answer(200, JSONOutput.object { members in outcomes.first?.write(to: &members) })
        case .failure(let error): fail(error)
        }
    }

    /// Answers a push to several channels, one result each, in the order in which they were named.
    func finishMany(_ result: Result<[PushOutcome], AdminError>) {
        switch result {
        case .success(let outcomes):
            answer(200, JSONOutput.object { $0.list("results", outcomes) { $0.write(to: &$1) } })
        case .failure(let error):
            fail(error)
        }
    }
}
