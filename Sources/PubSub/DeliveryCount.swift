// The count that a push's answer carries.

/// How many subscribers a publication met, and what became of it there.
public struct DeliveryCount: Equatable, Sendable {
    /// Subscribers of the channel, without the excluded one.
    public var matched = 0
    /// Of those, the ones in whose output queue it is.
    public var queued = 0
    /// Of those, the ones that lost it.
    public var dropped = 0
    /// How many older publications, still waiting for slow subscribers, it has taken the place of.
    public var displaced = 0

    public init() {}

    public mutating func note(_ delivery: Delivery) {
        matched += 1
        switch delivery {
        case .queued: queued += 1
        case .displaced(let count):
            queued += 1
            displaced += count
        case .dropped: dropped += 1
        }
    }

    public static func += (left: inout DeliveryCount, right: DeliveryCount) {
        left.matched += right.matched
        left.queued += right.queued
        left.dropped += right.dropped
        left.displaced += right.displaced
    }
}
