// Who the client is when a proxy stands between: told by the header of the PROXY protocol before the first request, or by a field
// of the request that opens the connection.

import EventLoop
import HTTP1
import Logging
import Proxies
import WebSocket

extension ClientConnection {
    /// Who the client is, and counts for: the socket's other end, or whom a trusted proxy has named in its place.
    var remote: SocketAddress { peer }

    /// Reads on in the header of the PROXY protocol; the answer is that of `receivedPreamble`.
    func receiveProxyHeader(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let state = handshake else { return 0 }
        let before = state.proxyHeader.count
        if before > 0 { state.proxyHeader += bytes.prefix(ProxyHeader.longest - before) }
        let outcome = before > 0 ? state.proxyHeader.withUnsafeBytes(ProxyHeader.read) : ProxyHeader.read(bytes)
        switch outcome {
        case .needMore:
            // So few bytes that they are no header yet are fewer than the longest one has.
            if before == 0 { state.proxyHeader = Array(bytes) }
            return nil
        case .header(let source, let length):
            if let source { peer = source }
            state.proxyHeader = []
            return length - before
        case .failure(let failure):
            worker.count(.proxyHeader)
            worker.log.debug("no PROXY header", metadata: ["remote": "\(remote)", "cause": "\(failure)"])
            abort()
            return nil
        }
    }

    /// The proxy may say who the client of this request is.
    func learnRemote(from head: RequestHead) { peer = worker.proxies.client(of: head, behind: peer) }
}
