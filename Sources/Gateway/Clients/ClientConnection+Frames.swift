// Frames in: what the decoder found, and what is done about it.

import EventLoop
import Scripting
import WebSocket

extension ClientConnection {
    func receiveFrames(_ bytes: UnsafeMutableRawBufferPointer) {
        bytesIn += UInt64(bytes.count)
        worker.statistics.bytesIn += UInt64(bytes.count)
        if worker.rates.isOn || isBusy || worker.turns.slice.isOver { return receiveWithinLimits(bytes) }
        var input = bytes
        takeFrames(&input, nil)
        if isQueueFull || isDeferred && phase == .open { holdBack(input) }
    }

    func countMessageIn() {
        messagesIn &+= 1
        worker.statistics.messagesIn &+= 1
    }

    /// Handles the frames at the front of `input`. With a meter, as far as its tokens reach; the rest is left.
    func takeFrames(_ input: inout UnsafeMutableRawBufferPointer, _ meter: RateMeter?) {
        let limit = worker.maxMessage
        let fragments = worker.maxFragments
        while true {
            if let meter, phase == .open, !input.isEmpty, meter.isOutOfMessages { return }
            if isBusy, isQueueFull { return }
            switch decoder.next(&input, maxMessage: limit, maxFragments: fragments) {
            case .needMore:
                return
            case .message(let payload, let binary):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                countMessageIn()
                worker.message(self, payload, binary: binary)
                if worker.mustYield(.message, script), yields(before: input) { return }
            case .compressed(let payload, let binary):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                if let fault = receiveCompressed(payload, binary: binary) { return fail(fault) }
                if worker.mustYield(.message, script), yields(before: input) { return }
            case .ping(let payload):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                sendControl(.pong, payload)
            case .pong(let payload):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                keepalive.pong(payload, clock: Worker.microseconds)
            case .close(let code, let reason):
                return peerCloses(code, reason)
            case .failure(let reason):
                return fail(reason)
            }
        }
    }

    /// The peer's Close frame: answered with the same code when it opens the closing handshake (RFC 6455, 5.5.1).
    private func peerCloses(_ code: CloseCode?, _ reason: UnsafeRawBufferPointer) {
        switch phase {
        case .open:
            phase = .closed
            let text = String(decoding: reason, as: UTF8.self)
            writeClose(code, reason: "")
            finish(within: worker.timeouts.close)
            hasEnded(code ?? .noStatus, reason: text)
        case .closing:
            phase = .closed
            finishByDeadline()
        case .handshake, .closed:
            break
        }
    }

    /// A breach of the protocol or of a limit: the peer is told why, and nothing more is expected of it (RFC 6455, 7.1.7). The
    /// script is told at the end of the turn.
    func fail(_ reason: CloseReason) {
        let wasOpen = phase == .open
        phase = .closed
        // A peer that was told already has no more time for what it sends since then.
        guard wasOpen else { return finishByDeadline() }
        writeClose(reason.code, reason: reason.text)
        finish(within: worker.timeouts.close)
        worker.count(reason)
        worker.logClose(self, reason)
        ends(reason.code, reason: reason.text)
    }
}
