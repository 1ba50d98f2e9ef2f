// One message to one channel on its way to the subscribers. It is immutable, so threads share it.

public import WebSocket

/// A message to one channel. Its frame is encoded once and shared by all subscribers, and so is each of its forms for clients that
/// speak more than raw frames.
public struct Publication: Sendable {
    public let channel: Channel
    /// The message as raw clients get it. It belongs to this publication alone, because the forms that it keeps name the channel
    /// and the position.
    public let frame: Frame
    /// The subscriber that does not get it, usually its author.
    public let exclude: SubscriberID?
    /// Its place in the channel; nil in a channel without history, and for a publication that is not to be kept.
    public let position: StreamPosition?
    /// The key for conflation within the channel: of the publications with the same key, only the newest waits for a slow
    /// subscriber.
    public let key: String?

    public init(
        channel: Channel, frame: Frame, exclude: SubscriberID?, position: StreamPosition?, key: String? = nil
    ) {
        self.channel = channel
        self.frame = frame
        self.exclude = exclude
        self.position = position
        self.key = key
    }
}

/// The position of a publication in its channel.
public struct StreamPosition: Hashable, Sendable {
    /// Counts the channel's publications from 1.
    public var offset: UInt64
    /// Identifies the series of offsets: 64 random bits. All positions of one epoch count the same publications.
    public var epoch: UInt64

    public init(offset: UInt64, epoch: UInt64) {
        self.offset = offset
        self.epoch = epoch
    }
}
