// The publications that one or more clients have missed, the oldest first. Clients that missed the same ones share the run, on all
// workers, so that a storm of clients that come back reads each stored range once.
//
// Allocates: once for each range of a channel that is wanted.
// Read next: Joining.swift.

import WebSocket

/// A run of publications of one channel, without a gap.
public final class SharedRun: Sendable {
    public let publications: [Publication]
    /// Bytes of the frames.
    public let byteCount: Int

    public init(_ publications: [Publication]) {
        self.publications = publications
        byteCount = publications.reduce(0) { $0 + $1.frame.count }
    }
}
