// The seam between a connection and the protocol of its client. A client of raw frames has no protocol object: its messages go
// to the script as they are. For any other client a `ClientProtocol` turns messages into requests, and messages to the client
// into frames. Handlers, hub and broker know none of them, and a protocol does no I/O.
//
// Runs on: the thread of the connection's worker.
// Read next: ProtocolTable.swift, Gateway/Worker/Connections/ClientConnection+Frames.swift.

public import PubSub
public import WebSocket

/// The conversation with one client that speaks more than raw frames. The connection asks, and does what the answers say.
public protocol ClientProtocol: AnyObject {
    /// The form in which the client gets messages: never `raw`, and the same for the whole life of the connection.
    var form: WireForm { get }

    /// Takes the next request off a message. The connection goes on asking until nothing of the message is left.
    /// - Parameters:
    ///   - rest: the rest of the message; on return, without the request. Each request takes at least one byte, unless
    ///     the message is empty.
    ///   - binary: whether the message is binary. Text is valid UTF-8.
    /// - Returns: the request, with views of the message; nil when nothing more is to be done about the message.
    func next(_ rest: inout UnsafeRawBufferPointer, binary: Bool) -> ClientRequest?

    /// Encodes a message to clients. The result depends on the arguments alone: all connections with the same form share it.
    /// - Parameters:
    ///   - payload: the message. Text is valid UTF-8.
    ///   - publication: the publication of the message; nil for one that was sent to a client, a user, a path or
    ///     everybody.
    /// - Returns: a whole text or binary message; nil where the form cannot carry it.
    func encode(_ payload: UnsafeRawBufferPointer, binary: Bool, of publication: Publication?) -> Frame?

    /// Puts the end of the connection in the protocol's terms. The script's onClose sees the code that a raw client would get.
    func end(_ end: ConnectionEnd) -> (code: CloseCode, reason: String)
}

/// A client's request.
public enum ClientRequest {
    /// A message for the script's onMessage, as a raw client would have sent it. Text is valid UTF-8.
    case message(UnsafeRawBufferPointer, binary: Bool)
    /// The client has broken the protocol, and the connection ends.
    case breach(CloseReason)
}

/// An end that the server has decided. A peer's own Close frame is answered with its code in every protocol.
public enum ConnectionEnd {
    /// One of the server's reasons, and its text.
    case reason(CloseReason, text: String)
    /// A script or an operator has asked for it.
    case asked(CloseCode, text: String)
}
