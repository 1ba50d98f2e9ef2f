// RawSocket over TLS: each send is a record of its own; reads return plain bytes.
//
// Read next: TLSClient.swift.

import Glibc

extension RawSocket {
    /// Begins TLS on a connection, also after plain bytes (a PROXY header) have been sent.
    public func startTLS(_ options: TLSOptions) throws(ClientError) {
        let deadline = Deadline(after: timeout)
        let client = try TLSClient(options)
        while true {
            let isDone = Result { () throws(ClientError) in try client.handshake() }
            // After a failure an alert is sent, too.
            try sendPlain(client.takeOutput())
            if try isDone.get() { break }
            guard let bytes = try reader.readEncrypted(for: "the TLS handshake", by: deadline) else {
                throw .ended(waitingFor: "the end of the TLS handshake", got: [])
            }
            client.feed(bytes)
        }
        tls = client
        reader.tls = client
    }

    /// Requests a new TLS 1.2 handshake, and does not wait for the response.
    public func askToRenegotiate() throws(ClientError) {
        guard let tls else { return }
        try tls.renegotiate()
        try sendPlain(tls.takeOutput())
    }

    /// Whether the server has ended the TLS session (close_notify).
    public var hasEndedPolitely: Bool { tls?.hasEnded ?? false }

    func sendEncrypted(_ bytes: [UInt8]) throws(ClientError) {
        guard let tls else { return }
        try sendPlain(takeUnsent())
        try tls.encrypt(bytes)
        try sendPlain(tls.takeOutput())
    }

    /// Encrypts record by record, and only when the kernel has taken the previous one.
    func sendAvailableEncrypted(_ bytes: [UInt8]) throws(ClientError) -> Int {
        guard let tls else { return 0 }
        var taken = 0
        while true {
            unsent.removeFirst(try sendAvailablePlain(unsent))
            guard unsent.isEmpty, taken < bytes.count else { return taken }
            let record = Array(bytes[taken..<min(bytes.count, taken + 16 << 10)])
            try tls.encrypt(record)
            unsent = tls.takeOutput()
            taken += record.count
        }
    }

    private func takeUnsent() -> [UInt8] {
        defer { unsent = [] }
        return unsent
    }
}
