// The seam between a node and the part that orders its publications and takes them to other nodes. A broker decides the
// position of a publication and its receivers. Everything that is local (the workers with subscribers, the delivery to their
// hubs, receipts) is LocalFanout's, for every broker alike.
//
// Runs on: any worker and the admin thread; a broker may have a thread of its own.
// Read next: MemoryBroker.swift, LocalFanout.swift.

public import WebSocket

/// Orders publications per channel. Every function returns at once.
public protocol Broker: Sendable {
    /// Takes a publication. Publications of one thread to one channel keep their order.
    /// - Parameter asker: gets the answer, once, when the outcome is `accepted`.
    func publish(_ draft: Draft, from asker: Asker) -> PublishOutcome
    /// Asks for what a new subscriber is given first. The answer, `joined`, comes to the asker's inbox in the channel's order: what
    /// is published later comes behind it. The asker's worker has subscribed to the channel before.
    func join(_ channel: Channel, _ wish: JoinWish, for asker: Asker)
    /// Asks for a page of what the channel keeps; the answer is `history`.
    func history(_ channel: Channel, _ query: HistoryQuery, for asker: Asker)
    /// Forgets what the channel keeps. Its position stays, so that no position is ever given twice; the answer is `cleared`.
    func clear(_ channel: Channel, for asker: Asker)

    /// Lets go of what is too old. Called once a second while some channel keeps history; its work is bounded.
    func tend()
    /// What is kept of channels in memory.
    var figures: HistoryFigures { get }

    /// The node has its first subscriber of the channel. Called under the channel's lock, so calls for one channel come in
    /// order; a broker must not call the fan-out from here.
    func subscribe(to channel: Channel)
    /// The node has lost its last subscriber of the channel. Called as `subscribe`.
    func unsubscribe(from channel: Channel)
}

extension Broker {
    public func tend() {}
    public var figures: HistoryFigures { HistoryFigures() }
}

/// A message that is to be published, encoded by its publisher.
public struct Draft: Sendable {
    public let channel: Channel
    public let frame: Frame
    /// The key for conflation, see `Publication.key`.
    public let key: String?
    /// The subscriber that does not get it.
    public let exclude: SubscriberID?
    public let origin: PublishingThread
    /// Returned with each worker's delivery count; nil when no count is needed.
    public let receipt: UInt64?
    /// Whether it is kept, in a channel with history. A publication that is not kept has no position, and no client recovers it.
    public let keepsHistory: Bool

    public init(
        channel: Channel, frame: Frame, key: String? = nil, exclude: SubscriberID? = nil,
        origin: PublishingThread = .other, receipt: UInt64? = nil, keepsHistory: Bool = true
    ) {
        self.keepsHistory = keepsHistory
        self.channel = channel
        self.frame = frame
        self.key = key
        self.exclude = exclude
        self.origin = origin
        self.receipt = receipt
    }
}

/// The thread that hands a publication to the workers.
public enum PublishingThread: Sendable, Equatable {
    /// A worker that may deliver at once.
    case worker(UInt8)
    /// The admin thread, which wakes the workers once for all publications of its turn.
    case admin
    /// Any other thread, or a worker in whose inbox earlier messages wait.
    case other
}

extension Publication {
    /// The draft at its place in the channel.
    public init(_ draft: Draft, at position: StreamPosition?) {
        self.init(
            channel: draft.channel, frame: draft.frame, exclude: draft.exclude, position: position, key: draft.key)
    }
}

/// The thread that gets a broker's answer: as a message in its inbox, behind everything that it was sent before.
public enum Asker: Sendable {
    case admin(ticket: UInt64)
    case worker(UInt8, ticket: UInt64)
    /// No answer is wanted. A failure after `accepted` is then for the broker to log.
    case nobody
}

/// The outcome of a publication at the broker, as far as it is known at once.
public enum PublishOutcome: Sendable {
    /// It has its position and is on its way to `workers`; no answer follows.
    /// - deliverHere: the publication, if the origin must deliver it itself now.
    /// - position: nil where it has none, see `Publication.position`.
    case ordered(StreamPosition?, workers: WorkerSet, deliverHere: Publication?)
    /// The broker has taken it; its ``BrokerAnswer`` follows.
    /// - patience: milliseconds within which the answer comes.
    case accepted(patience: UInt64)
    /// Nothing was published; no answer follows.
    case refused(BrokerFailure)
}

/// The answer to a publication that the broker had accepted, or to another request.
public enum BrokerAnswer: Sendable {
    /// It has its position.
    /// - workers: how many workers of this node deliver it. The counts of fast ones may come before this answer.
    case published(StreamPosition?, workers: Int)
    case joined(JoinResult)
    case history(HistoryPage)
    /// - count: the publications that were forgotten.
    /// - position: nil where the channel has none.
    case cleared(count: Int, position: StreamPosition?)
    /// It was not done.
    case failed(BrokerFailure)
}

/// The reason why a broker does not publish.
public enum BrokerFailure: Error, Sendable, Equatable {
    /// Too much waits: in a worker's inbox, or on the way to the broker.
    case overloaded
    /// The message is larger than the channel's options allow.
    case tooLarge
    /// The broker is out of reach.
    /// - retryAfter: seconds until it may be back, 1 or more.
    case unavailable(retryAfter: Int)
}
