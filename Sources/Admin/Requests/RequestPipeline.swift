// The requests of one connection that are not answered yet, in their order: a value that takes answers in any order and hands them
// out in the order of the requests. Pushes run beside each other; every other request runs alone, so that it sees the effect of those
// before it, and those behind it see its own.
//
// Allocates: a place per request, in storage that the connection keeps.
// Read next: AdminConnection.swift.

import DequeModule
import HTTP1

/// The outstanding requests of a connection.
struct RequestPipeline {
    /// The most requests that may be outstanding before the connection reads no further.
    static let maxRequests = 64
    /// The bytes of outstanding requests, heads included, at which the connection reads no further.
    static let maxBytes = 1 << 20

    /// The facts about a request that its answer needs.
    struct Request {
        /// Counted against `maxBytes`.
        var bytes = 0
        var isHEAD = false
        var minorVersion = 1
        /// Whether the connection ends behind the answer.
        var isLast = false
    }

    private struct Place {
        let request: Request
        var response: Response?
    }

    private var places: Deque<Place> = []
    /// The number of the first request that has a place.
    private var first: UInt64 = 0
    private var unanswered = 0
    private var bytes = 0
    /// The request that runs alone.
    private var lone: UInt64?

    /// Whether every request is answered and its answer was handed out.
    var isEmpty: Bool { places.isEmpty }
    /// Whether a request waits for its response.
    var hasUnanswered: Bool { unanswered > 0 }
    /// Whether the first answer in order is there.
    var isReady: Bool { places.first?.response != nil }
    /// Whether a request runs alone, so that no other may begin.
    var isClosed: Bool { lone != nil }
    /// Whether as many requests or bytes are outstanding as may be.
    var isFull: Bool { places.count >= Self.maxRequests || bytes >= Self.maxBytes }

    /// Adds a request behind all others; answers its number.
    mutating func append(_ request: Request) -> UInt64 {
        places.append(Place(request: request))
        unanswered += 1
        bytes += request.bytes
        return first + UInt64(places.count - 1)
    }

    /// Lets no other request begin until this one is answered. One that is answered already changes nothing.
    mutating func isolate(_ number: UInt64) {
        if isOpen(number) { lone = number }
    }

    /// Takes the response to a request; a request is answered once.
    mutating func answer(_ number: UInt64, _ response: Response) {
        guard isOpen(number) else { return }
        places[Int(number - first)].response = response
        unanswered -= 1
        if lone == number { lone = nil }
    }

    /// The first request of all, whose answer may leave in pieces.
    var firstRequest: Request? { places.first?.request }

    /// Takes the first request away, whose answer has left in pieces.
    mutating func removeFirst() {
        guard let place = places.popFirst() else { return }
        if place.response == nil { unanswered -= 1 }
        if lone == first { lone = nil }
        first += 1
        bytes -= place.request.bytes
    }

    /// Takes the next answer in order; nil when it is not there yet.
    mutating func next() -> (request: Request, response: Response)? {
        guard let place = places.first, let response = place.response else { return nil }
        places.removeFirst()
        first += 1
        bytes -= place.request.bytes
        return (place.request, response)
    }

    private func isOpen(_ number: UInt64) -> Bool {
        number >= first && number - first < UInt64(places.count) && places[Int(number - first)].response == nil
    }
}
