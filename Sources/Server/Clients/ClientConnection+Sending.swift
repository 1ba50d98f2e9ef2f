// Frames out, and the end. Every byte for a client passes the one check of the queue's limit here.

import EventLoop
import PubSub
import Scripting
import WebSocket

extension ClientConnection {
    /// Encodes a message for this client alone.
    func send(_ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        guard phase == .open else { return .closed }
        if deflate != nil, let result = sendCompressed(payload, binary: binary) { return result }
        return queue(binary ? .binary : .text, payload)
    }

    /// Queues a message whose payload is ready for the wire.
    func queue(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, compressed: Bool = false) -> SendResult {
        guard hasRoom(FrameHeader.size(payload: payload.count) + payload.count) else { return .slow }
        writeFrame(opcode, payload, compressed: compressed)
        messagesOut &+= 1
        return .sent
    }

    /// Queues a frame that others get too.
    func send(_ frame: Frame) -> SendResult {
        guard phase == .open else { return .closed }
        guard let deflate else { return queue(frame) }
        guard let form = form(of: frame, deflate) else { return send(frame.payload, binary: frame.isBinary) }
        return queue(form)
    }

    private func queue(_ frame: Frame) -> SendResult {
        guard hasRoom(frame.count) else { return .slow }
        write(shared: frame.bytes, owner: frame.owner)
        bytesOut += UInt64(frame.count)
        messagesOut &+= 1
        return .sent
    }

    func deliver(_ publication: Publication) -> Delivery {
        switch send(publication.frame) {
        case .sent: .queued
        case .closed, .slow: .dropped
        }
    }

    func sendControl(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        guard hasRoom(FrameHeader.size(payload: payload.count) + payload.count) else { return }
        writeFrame(opcode, payload)
    }

    /// Begins the closing handshake; false when it is over already. The script's onClose runs at the end of the turn, because
    /// this may be called from within a handler, or while a publication is being delivered.
    @discardableResult
    func close(_ code: CloseCode, reason: String) -> Bool {
        guard phase == .open else { return false }
        phase = .closing
        writeClose(code, reason: reason)
        setDeadline(milliseconds: worker.timeouts.close)
        loop.atEndOfTurn { [self] in worker.ended(self, code: code, reason: reason) }
        return true
    }

    /// Closes for a reason of the server's own.
    func close(_ reason: CloseReason) {
        guard close(reason.code, reason: reason.text) else { return }
        worker.count(reason)
        worker.logClose(self, reason)
    }

    /// Whether `size` more bytes may be queued. A client that keeps up always has room: what is queued within a turn is first
    /// offered to the kernel. A client that does not is closed as a slow consumer.
    func hasRoom(_ size: Int) -> Bool {
        guard queuedBytes > 0, queuedBytes + size > worker.maxQueue else { return true }
        flushNow()
        guard queuedBytes > 0, queuedBytes + size > worker.maxQueue else { return true }
        close(.slowConsumer)
        return false
    }

    private func writeFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, compressed: Bool = false) {
        let size = FrameHeader.size(payload: payload.count) + payload.count
        bytesOut += UInt64(size)
        guard payload.count < Self.largePayload else {
            return writeLargeFrame(opcode, payload, compressed: compressed)
        }
        write(count: size) { address in
            let headerSize = FrameHeader.write(
                opcode: opcode, compressed: compressed, payload: payload.count, to: address)
            if let start = payload.baseAddress {
                (address + headerSize).copyMemory(from: start, byteCount: payload.count)
            }
        }
    }

    /// Payloads from this size on are sent from where they are.
    private static let largePayload = 8 << 10

    private func writeLargeFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, compressed: Bool) {
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.maxCount, alignment: 8) { header in
            let size = FrameHeader.write(
                opcode: opcode, compressed: compressed, payload: payload.count, to: header.baseAddress!)
            writeThrough(UnsafeRawBufferPointer(rebasing: header[..<size]), payload)
        }
    }

    /// Writes a Close frame; without a code its body is empty.
    func writeClose(_ code: CloseCode?, reason: String) {
        guard let code, code.isValidOnWire else {
            return writeFrame(.close, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let frame = Frame.close(code, reason: reason)
        write(shared: frame.bytes, owner: frame.owner)
        bytesOut += UInt64(frame.count)
    }
}
