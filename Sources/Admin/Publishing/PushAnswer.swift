// The answer to a push, as JSON: of a request, and of an item in a batch.
//
// Runs on: the admin thread.
// Read next: Publisher.swift.

import Gateway
import HTTP1
import JSON
import PubSub

/// The outcome of a push to one channel or audience.
struct PushOutcome {
    let id: String
    /// Nil for a push to connections.
    let channel: Channel?
    let position: StreamPosition?
    let count: DeliveryCount
    /// False when a worker did not answer in time; the counts then lack its deliveries.
    let isComplete: Bool
    /// The script version that was live.
    let version: UInt64

    func write(to members: inout JSONOutput.Members) {
        members.add("id", id)
        if let channel { members.add("channel", channel.name) }
        members.add(position)
        members.add("matched", count.matched)
        members.add("queued", count.queued)
        members.add("dropped", count.dropped)
        if count.displaced > 0 { members.add("displaced", count.displaced) }
        members.add("version", version)
        if !isComplete { members.add("complete", false) }
    }
}

/// The answer to a push.
enum PushAnswer {
    /// Of a push to one target.
    case one(PushOutcome)
    /// Of a push to several channels, one outcome each, in the order in which they were named.
    case list([PushOutcome])
    /// - mayBePushed: whether some of it was pushed, or may have been.
    case failed(AdminError, mayBePushed: Bool)

    init(one result: Result<PushOutcome, AdminError>) {
        switch result {
        case .success(let outcome): self = .one(outcome)
        case .failure(let error): self = .failed(error, mayBePushed: error.mayBePushed)
        }
    }

    /// Adds the members of the answer; of a failure, the error and the status that a request of its own would have.
    func write(to members: inout JSONOutput.Members) {
        switch self {
        case .one(let outcome): outcome.write(to: &members)
        case .list(let outcomes): members.list("results", outcomes) { $0.write(to: &$1) }
        case .failed(let error, _):
            error.write(to: &members)
            members.add("status", error.status)
        }
    }
}

extension AdminError {
    /// Whether a message may have been pushed although the answer is this error.
    var mayBePushed: Bool { code == Self.publishOutcomeUnknown.code }
}
