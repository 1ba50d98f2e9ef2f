// One message to one channel, on its way to the subscribers. Immutable, so it crosses threads by reference.

public import WebSocket

/// What is delivered: the frame, encoded once and shared by every subscriber.
public struct Publication: Sendable {
    public let channel: Channel
    public let frame: Frame
    /// The subscriber that must not get it (its author, usually).
    public let exclude: SubscriberID?
    public let position: StreamPosition
    /// What it is about within its channel, as far as conflation is concerned: of the publications with the same key, only
    /// the newest waits for a slow subscriber.
    public let key: String?

    public init(
        channel: Channel, frame: Frame, exclude: SubscriberID?, position: StreamPosition, key: String? = nil
    ) {
        self.channel = channel
        self.frame = frame
        self.exclude = exclude
        self.position = position
        self.key = key
    }
}
