// Sockets of a stage that speak TLS.

@testable import EventLoop

extension Stage {
    /// A socket behind its TLS handshake, and the client.
    /// - Parameter maxVersion: the newest version of TLS that the client speaks; nil for the newest there is.
    func securePair(maxVersion: Int32? = nil, room: Int32? = nil) -> (socket: RecordingSocket, client: TLSPeer) {
        let (socket, peer) = pair(room: room)
        socket.startTLS(TestCertificates.context)
        let client = TLSPeer(peer, maxVersion: maxVersion)
        let isDone = turn {
            client.peer.send(client.step())
            return client.isEstablished && socket.isWritable
        }
        precondition(isDone, "no TLS handshake")
        return (socket, client)
    }
}
