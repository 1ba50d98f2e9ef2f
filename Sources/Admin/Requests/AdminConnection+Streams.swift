// Answers that leave in pieces. A request that streams is the only one that is outstanding, so its pieces go out at once.
//
// Runs on: the admin thread.
// Read next: BodyReader.swift.

import EventLoop
import HTTP1

extension AdminConnection {
    /// Writes the head of an answer in pieces.
    func beginPieces(_ response: Response, to number: UInt64) {
        guard let request = request(number) else { return }
        var bytes: [UInt8] = []
        response.encodeStreamHead(
            into: &bytes, keepAlive: !(request.isLast || ignoresInput), minorVersion: request.minorVersion)
        bytes.withUnsafeBytes { write($0) }
    }

    /// Writes a piece of the body.
    func write(piece: [UInt8], to number: UInt64) {
        guard let request = request(number) else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(piece.count + 16)
        Response.encode(piece: piece, into: &bytes, minorVersion: request.minorVersion)
        bytes.withUnsafeBytes { write($0) }
    }

    /// Writes the end of the body: the request is answered.
    func endPieces(of number: UInt64) {
        guard let request = request(number) else { return }
        var bytes: [UInt8] = []
        Response.encodeEnd(into: &bytes, minorVersion: request.minorVersion)
        bytes.withUnsafeBytes { write($0) }
        streamIsAnswered()
        pipeline.removeFirst()
        let isLast = request.isLast || request.minorVersion == 0 || endsBehindAnswer
        if isLast { ignoresInput = true }
        // Not at once: the caller may be in the middle of the connection's input.
        loop.atEndOfTurn { [self] in
            if !isOver { answerHasLeft(isLast: isLast) }
        }
    }

    /// The reader of a body takes bytes again.
    func readerGoesOn() {
        guard !isOver else { return }
        loop.atEndOfTurn { [self] in
            heardAt = loop.now
            goOn()
        }
    }

    /// Bytes that the client has not read, once the kernel has been offered them.
    var unreadBytes: Int {
        if queuedBytes > Self.maxOutput { flushNow() }
        return queuedBytes
    }

    private func request(_ number: UInt64) -> RequestPipeline.Request? {
        guard !isOver, streaming?.number == number else { return nil }
        return pipeline.firstRequest
    }
}
