// Messages in: inflated within the limit, and only then checked to be text.

extension Compression {
    /// What comes of a compressed message.
    public enum Inflated {
        /// Its bytes, text checked to be UTF-8; valid until the next call.
        case message(UnsafeRawBufferPointer)
        /// The connection is to be closed for this reason.
        case failure(CloseReason)
    }

    /// Inflates a message of a client.
    ///
    /// - Parameters:
    ///   - payload: What the message's frames carried.
    ///   - binary: Whether it is bytes, and not text.
    ///   - own: The connection's own decompressor, if its messages may refer to earlier ones.
    ///   - maxMessage: The most bytes that the message may have.
    public func inflate(
        _ payload: UnsafeRawBufferPointer, binary: Bool, with own: Inflater?, maxMessage: Int
    ) -> Inflated {
        inflated += 1
        if let fault = (own ?? inflater).inflate(payload, into: &input, limit: maxMessage) { return .failure(fault) }
        guard binary || UTF8Validator.isValid(input.bytes) else { return .failure(.invalidText) }
        return .message(input.bytes)
    }
}
