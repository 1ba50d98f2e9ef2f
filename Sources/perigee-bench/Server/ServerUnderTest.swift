// The server as the generator sees it.

import EventLoop

/// Where a server listens, and what of it can be measured.
struct ServerUnderTest {
    let clients: SocketAddress
    /// Nil when nothing is published.
    let admin: SocketAddress?
    /// The admin API's key, nil when it asks for none.
    let key: String?
    /// Nil when it is not known, and then neither are CPU time and memory.
    let process: ServerProcess?
    /// Whether its clients offer permessage-deflate.
    let deflate: Bool
}
