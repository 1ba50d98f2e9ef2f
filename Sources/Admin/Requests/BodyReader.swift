// The seam for requests that stream: the connection hands over their body as it comes, and their answer leaves in pieces.
//
// Runs on: the admin thread.
// Read next: AdminConnection+Streams.swift, ../Publishing/BatchStream.swift.

/// Takes the body of one request as it comes.
///
/// The connection calls it, and it calls the `AdminCall` that it answers. A connection that is gone calls `gone` once and nothing
/// after it.
protocol BodyReader: AnyObject {
    /// Whether it takes no bytes for now: the connection is then not read, and TCP slows the sender down. It calls `AdminCall.goOn`
    /// when it takes bytes again.
    var isFull: Bool { get }
    /// Bytes of the body. They are gone after the call. They may be more than it has room for: it keeps those, and is full.
    func received(_ bytes: UnsafeRawBufferPointer)
    /// The body is complete, or no more of it can come.
    /// - Parameter failure: why it is not complete.
    func ended(_ failure: AdminError?)
    /// The client has read what waited for it.
    func drained()
    /// The connection is gone.
    func gone()
}

extension BodyReader {
    func drained() {}
}
