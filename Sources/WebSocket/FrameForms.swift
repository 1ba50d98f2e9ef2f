// The forms in which one message reaches clients of different protocols. Raw WebSocket frames are the frame itself. Every other
// form is encoded by the first connection that needs it, and all connections on all threads share it, with its compressed form.
//
// Allocates: for each form that a connection needs, its frame and an entry; for raw frames nothing.
// Read next: FrameStorage.swift, ClientProtocols/ClientProtocol.swift.

import Synchronization

/// The form in which messages reach a client: one byte of its connection. Each form of a client protocol has its own number.
public struct WireForm: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The payload in a WebSocket frame, without anything around it.
    public static let raw = WireForm(rawValue: 0)
}

extension Frame {
    /// This message in another form. Connections that need the same form share one frame, encoded once.
    ///
    /// - Parameters:
    ///   - form: The form; `raw` is this frame itself.
    ///   - encode: Encodes the message; called when no connection has needed the form yet. It runs under a lock that frames
    ///     share, so it must not ask any frame for a form. nil says that the form cannot carry the message, which is
    ///     remembered too.
    /// - Returns: The message in that form; nil where the form cannot carry it.
    public func encoded(in form: WireForm, _ encode: () -> Frame?) -> Frame? {
        guard form != .raw else { return self }
        return storage.encoded(in: form) { encode()?.storage }.map { Frame($0) }
    }
}

/// One more form of a message, and the way to the next one. A message has few forms: as many as its clients speak protocols.
final class EncodedForm {
    let form: WireForm
    /// The encoded message; nil where the form cannot carry it.
    let storage: FrameStorage?
    let next = AtomicLazyReference<EncodedForm>()

    init(_ form: WireForm, _ storage: FrameStorage?) {
        self.form = form
        self.storage = storage
    }
}
