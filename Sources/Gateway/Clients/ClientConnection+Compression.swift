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
            countMessageIn()
            worker.message(self, message, binary: binary)
            return nil
        case .failure(let reason):
            return reason
        }
    }

    /// Compresses a message for this client alone and writes it; false when it is to be sent as it is.
    func writeCompressed(_ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool {
        guard let deflate, let compression = worker.compression, compression.isWorthwhile(payload.count) else {
            return false
        }
        let compressed =
            deflate.serverTakesOver
            ? compression.deflate(payload, with: ownDeflater(deflate, compression.policy))
            : compression.deflate(payload, windowBits: Int(deflate.serverWindowBits))
        guard let compressed else { return false }
        writeFrame(binary ? .binary : .text, compressed, compressed: true)
        return true
    }

    /// The form in which this client gets a frame that others get too; nil when it is compressed for this client alone.
    func form(of frame: Frame, _ deflate: DeflateParameters) -> Frame? {
        guard let compression = worker.compression else { return frame }
        if deflate.serverTakesOver { return compression.isWorthwhile(frame.payloadCount) ? nil : frame }
        return compression.form(of: frame, windowBits: Int(deflate.serverWindowBits))
    }

    /// How many bytes a frame adds to what waits: the form that goes to the socket, or the frame itself where it waits as a
    /// message, or is compressed only when it is written.
    func countToQueue(_ frame: Frame) -> Int {
        guard let deflate, !hasBacklog, let form = form(of: frame, deflate) else { return frame.count }
        return form.count
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
