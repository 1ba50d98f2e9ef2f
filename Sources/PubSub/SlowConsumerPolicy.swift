// What happens to a channel's publications at a subscriber that does not read them as fast as they come.

/// A channel's rule for subscribers whose queue is full.
public enum SlowConsumerPolicy: String, CaseIterable, Sendable {
    /// The connection is closed with 1013: who stays has lost nothing.
    case close
    /// The oldest waiting publications of such channels give way to the newest: the client sees the present, with gaps.
    case dropOldest = "drop_oldest"
    /// The new publication is lost: the client sees everything up to a gap.
    case dropNewest = "drop_newest"
    /// Of the publications that wait, only the newest of each channel is kept, or of each key within it: the client sees
    /// the last state of everything.
    case conflate
}
