// The process that hands over to this one. After it was told that this one serves, it ends its named timers, says up to which second
// of the calendar they have run, and closes the line; so no timer runs twice, and none is left out.
//
// Runs on: the lifecycle's thread.
// Read next: Successor.swift.

import EventLoop
import Glibc

/// The process that serves until this one does.
final class Predecessor: Source {
    /// Milliseconds after which it is not waited for any longer.
    private static let patience: UInt64 = 10_000

    private unowned let loop: EventLoop
    private let finished: (_ ranUntil: Int?) -> Void
    private var text: [UInt8] = []
    private var timer: TimerID?

    /// Waits for its word.
    /// - Parameters:
    ///   - line: the descriptor that it has passed as `ready`: a socket, or from an earlier release a pipe that can only be written to.
    ///   - finished: called once, with the second if it has said one.
    init(_ line: Int32, on loop: EventLoop, finished: @escaping (_ ranUntil: Int?) -> Void) {
        self.loop = loop
        self.finished = finished
        super.init(descriptor: line)
        _ = fcntl(line, F_SETFL, fcntl(line, F_GETFL) | O_NONBLOCK)
        loop.add(self, for: .readable)
        timer = loop.schedule(after: Self.patience) { [weak self] in self?.finish() }
    }

    override func ready(_ readiness: Readiness) {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        if count > 0, text.count < bytes.count { return text += bytes[..<count] }
        if count < 0, errno == EAGAIN || errno == EINTR, !readiness.contains(.broken) { return }
        finish()
    }

    private func finish() {
        if let timer { loop.cancel(timer) }
        timer = nil
        loop.remove(self)
        finished(Int(String(decoding: text, as: UTF8.self)))
    }
}
