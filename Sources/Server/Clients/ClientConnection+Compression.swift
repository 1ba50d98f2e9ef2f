// permessage-deflate on one connection (RFC 7692): what was agreed on, messages in and out. What all connections share is
// the worker's `Compression`; a window of its own has only a connection that was granted context takeover, from its first
// compressed message on.
// Read next: WebSocket/Deflate/Compression.swift.

import EventLoop
import Scripting
import WebSocket

extension ClientConnection {
    /// Accepts the first of the client's offers that can be served; answers the value of Sec-WebSocket-Extensions.
    func agreeOnCompression(_ offers: [ExtensionOffer]) -> String? {
        guard let compression = worker.compression,
            let agreement = DeflateAgreement.negotiate(offers, compression.policy)
        else { return nil }
        deflate = agreement.parameters
        decoder = MessageDecoder(compression: true)
        return agreement.response
    }

    /// Inflates a message and hands it to the script; answers what is wrong with it, nil when nothing is.
    func receiveCompressed(_ payload: UnsafeRawBufferPointer, binary: Bool) -> CloseReason? {
        guard let deflate, let compression = worker.compression else { return .internalError }
        let own = deflate.clientTakesOver ? ownInflater(deflate) : nil
        switch compression.inflate(payload, binary: binary, with: own, maxMessage: worker.maxMessage) {
        case .message(let message):
            messagesIn &+= 1
            worker.message(self, message, binary: binary)
            return nil
        case .failure(let reason):
            return reason
        }
    }

    /// Encodes a message for this client alone; nil when it is to be sent as it is.
    func sendCompressed(_ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult? {
        guard let deflate, let compression = worker.compression, compression.isWorthwhile(payload.count) else {
            return nil
        }
        let opcode: Opcode = binary ? .binary : .text
        guard deflate.serverTakesOver else {
            guard let compressed = compression.deflate(payload, windowBits: Int(deflate.serverWindowBits)) else {
                return nil
            }
            return queue(opcode, compressed, compressed: true)
        }
        // What has been through the connection's own compressor must be sent, so there has to be room before.
        guard hasRoom(FrameHeader.maxCount + Compression.bound(payload.count)) else { return .slow }
        return queue(
            opcode, compression.deflate(payload, with: ownDeflater(deflate, compression.policy)), compressed: true)
    }

    /// The form in which this client gets a frame that others get too; nil when it is compressed for this client alone.
    func form(of frame: Frame, _ deflate: DeflateParameters) -> Frame? {
        guard let compression = worker.compression else { return frame }
        if deflate.serverTakesOver { return compression.isWorthwhile(frame.payloadCount) ? nil : frame }
        return compression.form(of: frame, windowBits: Int(deflate.serverWindowBits))
    }

    private func ownInflater(_ deflate: DeflateParameters) -> Inflater {
        if let inflater = extras?.value.inflater { return inflater }
        let inflater = Inflater(windowBits: Int(deflate.clientWindowBits), keepsContext: true)
        makeExtras().value.inflater = inflater
        return inflater
    }

    private func ownDeflater(_ deflate: DeflateParameters, _ policy: DeflatePolicy) -> Deflater {
        if let deflater = extras?.value.deflater { return deflater }
        let deflater = Deflater(level: policy.level, windowBits: Int(deflate.serverWindowBits), keepsContext: true)
        makeExtras().value.deflater = deflater
        return deflater
    }
}
