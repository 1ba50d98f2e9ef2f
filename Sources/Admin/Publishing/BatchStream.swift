// `POST /v1/batch`: the objects of `/v1/publish`, in an array or in lines. Lines are pushed as they come, and results go out while
// the request goes on, for as long as the sender likes; a result has its item's place, and an item that fails does so alone.
//
// Everything that it keeps has a bound: the items that are not answered, in number and in bytes, one line, and the results that the
// client has not read. At a bound no item begins, the connection is not read, and TCP slows the sender down.
//
// Runs on: the admin thread.
// Allocates: per item its push; lines and results share buffers.
// Read next: BatchLines.swift, BatchPushes.swift, ../Requests/BodyReader.swift.

import DequeModule
import EventLoop
import HTTP1
import JSON

/// One batch.
final class BatchStream: BodyReader {
    /// The most items of an array.
    static let maxItems = 10_000
    /// The most items, and bytes of items, that may wait for their answers before the next one begins.
    static let window = 256
    static let windowBytes = 1 << 20
    /// The most items that begin in one turn: other requests have their turns, too.
    private static let slice = 1_024
    /// The bytes of results at which they go out before the end of the turn.
    private static let piece = 1 << 16

    /// How the items come. The first byte that is no space decides.
    private enum Form {
        case unknown
        case lines
        /// An array, which is pushed when it is complete.
        case array(body: [UInt8])
        /// A whole array: the places of its items that have not begun.
        case items(body: [UInt8], rest: ArraySlice<Range<Int>>)
    }

    /// An item that is not answered, or whose result waits for those before it.
    private struct Place {
        let bytes: Int
        var answer: BatchAnswer?
    }

    private let call: AdminCall
    private let pushes: BatchPushes
    private let loop: EventLoop
    private let maxBody: Int
    private var form = Form.unknown
    private var lines: BatchLines
    private var places: Deque<Place> = []
    /// The number of the first item that has a place.
    private var first = 0
    private var waitingBytes = 0
    /// Results that go out at the end of the turn, or when they are many.
    private var output = JSONOutput()
    /// Whether an item is there that could not begin because of a bound.
    private var isStalled = false
    /// Whether the body has come to its end, and why it is not complete.
    private var hasEnded = false
    private var failure: AdminError?
    private var isOver = false
    private var isProceeding = false
    private var isFlushScheduled = false
    private var isResumeScheduled = false

    init(_ call: AdminCall, _ pushes: BatchPushes, on loop: EventLoop, maxBody: Int) {
        self.call = call
        self.pushes = pushes
        self.loop = loop
        self.maxBody = maxBody
        lines = BatchLines(longest: maxBody)
    }

    // MARK: The body

    var isFull: Bool { isStalled }

    func received(_ bytes: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        switch form {
        case .unknown:
            guard let start = bytes.firstIndex(where: { !Self.isSpace($0) }) else { return }
            if bytes[start] == UInt8(ascii: "[") {
                form = .array(body: [])
            } else {
                guard beginLines() else { return }
            }
            received(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        case .lines:
            lines.append(bytes)
            proceed()
        case .array(var body):
            guard body.count + bytes.count <= maxBody else { return fail(.bodyTooLarge) }
            form = .unknown
            body += bytes
            form = .array(body: body)
        case .items: break
        }
    }

    func ended(_ failure: AdminError?) {
        guard !isOver else { return }
        hasEnded = true
        if self.failure == nil { self.failure = failure }
        switch form {
        case .unknown:
            if let failure { return fail(failure) }
            guard beginLines() else { return }
        case .lines: if failure == nil { lines.end() }
        case .array(let body):
            if let failure { return fail(failure) }
            guard beginItems(of: body) else { return }
        case .items: break
        }
        proceed()
    }

    /// The server drains or stops: of lines, those that have begun are answered, and no other one begins. An array has its end, and
    /// goes on.
    func stop() {
        guard !isOver else { return }
        if case .items = form { return }
        failure = failure ?? .stopping
        lines.drop()
        isStalled = false
        if !hasEnded { call.stopReading(.stopping) }
        finishIfDone()
    }

    func drained() { resume() }

    /// The items that have begun go on, without answers.
    func gone() {
        isOver = true
        lines.drop()
        form = .unknown
        pushes.ended(self)
    }

    /// Begins the answer to lines, unless the server is on its way to its end: they might go on for ever.
    private func beginLines() -> Bool {
        guard !pushes.isDraining else {
            fail(.stopping)
            return false
        }
        form = .lines
        pushes.open(self)
        call.begin(Response(status: 200, fields: [("Content-Type", "application/x-ndjson")]))
        return true
    }

    /// Finds the items of an array; false when it is refused as a whole.
    private func beginItems(of body: [UInt8]) -> Bool {
        do {
            guard let items = try JSONReader.elements(of: body, limit: Self.maxItems) else {
                fail(.batchTooLong)
                return false
            }
            form = .items(body: body, rest: items[...])
            call.begin(Response(status: 200, fields: [("Content-Type", "application/json")]))
            for byte in #"{"results":["#.utf8 { output.append(byte) }
            return true
        } catch {
            fail(AdminError.jsonInvalid.saying(error.message))
            return false
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    // MARK: Items

    private var mayBegin: Bool {
        if output.bytes.count >= Self.piece { flush() }
        guard places.count < Self.window, waitingBytes < Self.windowBytes, call.queuedBytes <= AdminConnection.maxOutput
        else { return false }
        return places.isEmpty || !pushes.runAlone
    }

    /// Begins items as far as may be.
    private func proceed() {
        guard !isProceeding, !isOver else { return }
        isProceeding = true
        isStalled = !beginItems()
        isProceeding = false
        finishIfDone()
    }

    /// Begins items; false when one is left that may not begin.
    private func beginItems() -> Bool {
        for _ in 0..<Self.slice {
            guard mayBegin else { return !hasMore }
            guard beginNext() else { return true }
        }
        guard hasMore else { return true }
        loop.schedule(after: 0) { [weak self] in self?.resume() }
        return false
    }

    /// Whether items may be left. Of lines it is not known without a look.
    private var hasMore: Bool {
        switch form {
        case .lines: lines.hasRest
        case .items(_, let rest): !rest.isEmpty
        case .unknown, .array: false
        }
    }

    /// Begins the next item; false when there is none.
    private func beginNext() -> Bool {
        switch form {
        case .lines:
            switch lines.next() {
            case .needMore: return false
            case .tooLong: add(.failed(.bodyTooLarge, mayBePushed: false))
            case .line(let range):
                let isBlank = lines.bytes[range].allSatisfy(Self.isSpace)
                if !isBlank { lines.bytes.withUnsafeBytes { begin(UnsafeRawBufferPointer(rebasing: $0[range])) } }
            }
            return true
        case .items(let body, var rest):
            guard let range = rest.popFirst() else { return false }
            form = .items(body: body, rest: rest)
            body.withUnsafeBytes { begin(UnsafeRawBufferPointer(rebasing: $0[range])) }
            return true
        case .unknown, .array: return false
        }
    }

    private func begin(_ item: UnsafeRawBufferPointer) {
        let number = first + places.count
        places.append(Place(bytes: item.count))
        waitingBytes += item.count
        pushes.push(item, of: call.sender) { [self] in take($0, of: number) }
    }

    private func add(_ answer: PushAnswer) {
        let number = first + places.count
        places.append(Place(bytes: 0))
        take(.new(answer), of: number)
    }

    // MARK: Results

    private func take(_ answer: BatchAnswer, of number: Int) {
        guard !isOver else { return }
        places[number - first].answer = answer
        guard number == first else { return }
        while let place = places.first, let answer = place.answer {
            places.removeFirst()
            first += 1
            waitingBytes -= place.bytes
            write(answer)
        }
        if !isProceeding { resumeAtEndOfTurn() }
    }

    private func write(_ answer: BatchAnswer) {
        if case .items = form, first > 1 { output.append(UInt8(ascii: ",")) }
        answer.write(to: &output)
        if case .lines = form { output.append(UInt8(ascii: "\n")) }
        flushAtEndOfTurn()
    }

    private func flushAtEndOfTurn() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atEndOfTurn { [self] in
            isFlushScheduled = false
            flush()
        }
    }

    private func flush() {
        guard !isOver, !output.bytes.isEmpty else { return }
        call.write(output.take())
    }

    private func resumeAtEndOfTurn() {
        guard !isResumeScheduled else { return }
        isResumeScheduled = true
        loop.atEndOfTurn { [self] in
            isResumeScheduled = false
            resume()
        }
    }

    /// Goes on with items that a bound held back, and with the body behind them.
    private func resume() {
        guard !isOver else { return }
        guard isStalled else { return finishIfDone() }
        proceed()
        if !isOver, !isStalled { call.goOn() }
    }

    // MARK: The end

    private func finishIfDone() {
        guard !isOver, places.isEmpty, !isStalled, hasEnded || failure != nil, !isProceeding else { return }
        switch form {
        case .lines: if let failure { writeEnd(failure) }
        case .items: for byte in "]}".utf8 { output.append(byte) }
        case .unknown, .array: return
        }
        flush()
        end()
        call.end()
    }

    /// Says that no more lines are taken, and why.
    private func writeEnd(_ failure: AdminError) {
        output.append { members in
            failure.write(to: &members)
            members.add("status", failure.status)
            members.add("ended", true)
        }
        output.append(UInt8(ascii: "\n"))
    }

    private func fail(_ error: AdminError) {
        end()
        call.fail(error)
    }

    private func end() {
        isOver = true
        form = .unknown
        pushes.ended(self)
    }
}
