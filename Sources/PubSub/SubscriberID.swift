// A subscriber's name within the node: which worker has it, and a number that no other connection has.

/// Names a subscriber on any worker of this node.
public struct SubscriberID: Hashable, Sendable {
    public let worker: UInt8
    /// Unique for the life of the node.
    public let number: UInt64

    public init(worker: UInt8, number: UInt64) {
        self.worker = worker
        self.number = number
    }
}
