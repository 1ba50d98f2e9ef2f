// What looks at very many connections or channels: a frame for a path or for everybody, and a page of channels. A turn does so many
// steps of it at most, and the rest waits for the next turns, after the other sockets were read and written.
//
// A frame must not be overtaken by a later message for the same connection. So each connection knows the number of the last such frame
// that it was sent, and gets those that it lacks before anything else is sent to it.
//
// Runs on: the worker's thread. Allocates: for each frame or page that needs more than one turn.
// Read next: Worker+Walks.swift.

import DequeModule
import PubSub
import WebSocket

/// A worker's walks, in the order in which they were asked for.
struct Walks {
    /// A frame on its way to many connections.
    struct Send {
        let frame: Frame
        /// nil: for everybody.
        let path: String?
        let receipt: UInt64?
        var count = DeliveryCount()
    }

    /// A page of channels in the making.
    struct Listing {
        var page: ChannelWalk
        let reply: Reply<[ChannelSummary]>
    }

    /// Frames that may be on their way at once; the oldest goes to everybody at once when there is one more.
    static let mostSends = 1_024

    /// Steps in one turn: as many connections and as many channels.
    var stepsInTurn = 4_096
    /// Steps done so far.
    var steps: UInt64 = 0
    /// The number of the last frame that was asked for.
    private(set) var newest: UInt32 = 0
    var sends: Deque<Send> = []
    var listings: Deque<Listing> = []
    /// The slot at which the first frame's walk goes on.
    var slot = 0

    var isEmpty: Bool { sends.isEmpty && listings.isEmpty }

    /// The number of the first frame that is on its way.
    var oldest: UInt32 { newest &- UInt32(sends.count) &+ 1 }

    mutating func append(_ send: Send) {
        sends.append(send)
        newest &+= 1
    }

    /// The place in `sends` of the first one that a connection lacks which was sent all up to a number.
    func firstLacking(after number: UInt32) -> Int {
        max(0, Int(Int32(bitPattern: number &+ 1 &- oldest)))
    }
}
