// A client that speaks more than raw frames: its messages become requests, which are performed here, and messages to it are encoded
// in its protocol's form. Clients of raw frames come to none of this: one byte says so.
//
// Allocates: a form of a message, when this client is the first that needs it.
// Read next: ClientProtocols/ClientProtocol.swift, PendingEvents.swift.

import ClientProtocols
import PubSub
import Scripting
import Settings
import WebSocket

extension ClientConnection {
    /// The client has chosen a protocol.
    func begin(_ conversation: any ClientProtocol) {
        makeExtras().value.conversation = conversation
        wireForm = conversation.form
    }

    // MARK: Requests

    /// Performs the requests of a message, one after the other. When a handler waits, or the slice is used up, what is left of the
    /// message waits in front of everything else.
    func converse(_ message: UnsafeRawBufferPointer, binary: Bool) {
        guard let conversation = extras?.value.conversation else { return }
        if extras?.value.pending?.beginsWithRest == true { return queue(.message(Array(message), binary: binary)) }
        let wasOpen = phase == .open
        var rest = message
        while let request = conversation.next(&rest, binary: binary) {
            switch request {
            case .message(let payload, let binary):
                worker.perform(worker.engine.onMessage(script, handle, payload, binary: binary), on: self)
            case .breach(let reason):
                return close(reason)
            }
            // A request that ends the connection is the last one. A message from before the end is performed to its end.
            if rest.isEmpty || wasOpen && phase != .open { return }
            if isBusy || worker.mustYield(.message, script) { return keep(rest, binary: binary) }
        }
    }

    private func keep(_ rest: UnsafeRawBufferPointer, binary: Bool) {
        let pending = makePending()
        pending.putBack(Array(rest), binary: binary)
        if !isBusy { _ = yields(before: pending) }
    }

    // MARK: Messages to the client

    /// A message that others get too, in this client's form; nil where the form cannot carry it.
    func encoded(_ frame: Frame) -> Frame? {
        frame.encoded(in: wireForm) {
            extras?.value.conversation?.encode(frame.payload, binary: frame.isBinary, of: nil)
        }
    }

    /// The same of a publication.
    func encoded(_ publication: Publication) -> Frame? {
        publication.frame.encoded(in: wireForm) {
            extras?.value.conversation?.encode(
                publication.frame.payload, binary: publication.frame.isBinary, of: publication)
        }
    }

    /// Sends a message to this client alone.
    func sendEncoded(_ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        guard let frame = extras?.value.conversation?.encode(payload, binary: binary, of: nil) else {
            return .unsupported
        }
        return sendAsIs(frame, whenFull: worker.onFullQueue)
    }

    /// Writes the Close frame of an end that the server has decided.
    /// - Parameter cause: nil when a script or an operator has asked for it.
    func writeEnd(_ code: CloseCode, reason text: String, _ cause: CloseReason?) {
        guard let conversation = extras?.value.conversation else { return writeClose(code, reason: text) }
        let end: ConnectionEnd = if let cause { .reason(cause, text: text) } else { .asked(code, text: text) }
        let said = conversation.end(end)
        writeClose(said.code, reason: said.reason)
    }
}
