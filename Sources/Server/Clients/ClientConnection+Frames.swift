// Frames in: what the decoder found, and what is done about it.

import EventLoop
import WebSocket

extension ClientConnection {
    func receiveFrames(_ bytes: UnsafeMutableRawBufferPointer) {
        bytesIn += UInt64(bytes.count)
        var input = bytes
        let limit = worker.maxMessage
        while true {
            switch decoder.next(&input, maxMessage: limit) {
            case .needMore:
                return
            case .message(let payload, let binary):
                guard phase == .open else { continue }
                messagesIn &+= 1
                worker.message(self, payload, binary: binary)
            case .compressed(let payload, let binary):
                guard phase == .open else { continue }
                if let fault = receiveCompressed(payload, binary: binary) { return fail(fault) }
            case .ping(let payload):
                if phase == .open { sendControl(.pong, payload) }
            case .pong:
                continue
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
            worker.ended(self, code: code ?? .noStatus, reason: text)
        case .closing:
            phase = .closed
            finish(within: worker.timeouts.close)
        case .handshake, .closed:
            break
        }
    }

    /// A breach of the protocol: the peer is told why, and nothing more is expected of it (RFC 6455, 7.1.7).
    private func fail(_ reason: CloseReason) {
        let wasOpen = phase == .open
        phase = .closed
        if wasOpen { writeClose(reason.code, reason: reason.text) }
        finish(within: worker.timeouts.close)
        guard wasOpen else { return }
        worker.count(reason)
        worker.logClose(self, reason)
        worker.ended(self, code: reason.code, reason: reason.text)
    }
}
