// The events of a connection whose handler waits.

import DequeModule
import Scripting

/// A connection's queue of events.
final class PendingEvents {
    /// An event that has to wait for the one before it.
    enum Event {
        case message([UInt8], binary: Bool)
        case drain
    }

    /// No more is read from a client when so many events wait, or so many bytes.
    static let eventLimit = 64
    static let byteLimit = 256 << 10

    /// The event whose handler waits.
    var task: ScriptTask?
    private var events: Deque<Event> = []
    private var bytes = 0
    private var hasDrain = false
    /// Whether the first event is the rest of a message, of which some requests have run already.
    private(set) var beginsWithRest = false

    var isEmpty: Bool { events.isEmpty }

    var isFull: Bool { events.count >= Self.eventLimit || bytes >= Self.byteLimit }

    /// Adds an event. A drain is kept once, also if the client has read everything several times.
    func append(_ event: Event) {
        switch event {
        case .message(let payload, _):
            bytes += payload.count
        case .drain:
            guard !hasDrain else { return }
            hasDrain = true
        }
        events.append(event)
    }

    /// Puts the rest of a message in front of all other events.
    func putBack(_ rest: [UInt8], binary: Bool) {
        bytes += rest.count
        events.prepend(.message(rest, binary: binary))
        beginsWithRest = true
    }

    func next() -> Event? {
        guard let event = events.popFirst() else { return nil }
        beginsWithRest = false
        switch event {
        case .message(let payload, _): bytes -= payload.count
        case .drain: hasDrain = false
        }
        return event
    }
}

// Input of a client that cannot be handled yet, because the client has sent too much or its handler waits. The connection
// receives no more in that time, so that TCP slows the client down.

/// Bytes of a client that wait, in memory that is changed in place as they are handled.
final class HeldInput {
    private var memory: UnsafeMutableRawBufferPointer
    private(set) var rest: UnsafeMutableRawBufferPointer

    init(copying bytes: UnsafeMutableRawBufferPointer) {
        memory = .allocate(byteCount: max(1, bytes.count), alignment: 8)
        if let start = bytes.baseAddress { memory.baseAddress!.copyMemory(from: start, byteCount: bytes.count) }
        rest = UnsafeMutableRawBufferPointer(rebasing: memory[..<bytes.count])
    }

    deinit { memory.deallocate() }

    /// Only this part of it still waits.
    func keep(_ rest: UnsafeMutableRawBufferPointer) { self.rest = rest }

    /// Appends bytes that have arrived all the same.
    func append(_ bytes: UnsafeMutableRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, rest.count + bytes.count), alignment: 8)
        copy.copyMemory(from: UnsafeRawBufferPointer(rest))
        UnsafeMutableRawBufferPointer(rebasing: copy[rest.count...]).copyMemory(from: UnsafeRawBufferPointer(bytes))
        memory.deallocate()
        memory = copy
        rest = UnsafeMutableRawBufferPointer(rebasing: copy[..<(rest.count + bytes.count)])
    }
}
