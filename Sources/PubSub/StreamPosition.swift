// Where a publication stands in its channel: the words of Centrifugo and of every replicated log.

/// A place in a channel's stream of publications.
public struct StreamPosition: Hashable, Sendable {
    /// Counts the channel's publications from 1.
    public var offset: UInt64
    /// Names the life of the channel in which the offset counts: a channel that was gone and came back has a new one.
    public var epoch: UInt64

    public init(offset: UInt64, epoch: UInt64) {
        self.offset = offset
        self.epoch = epoch
    }
}
