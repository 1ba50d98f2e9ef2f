// The protocols that the clients of a node may speak. A client chooses one by the subprotocol of its handshake. The table does
// not change while the node runs.
//
// Runs on: any thread; asked once in each handshake.

/// The client protocols of a node. A client that chooses none of them speaks raw frames.
public struct ProtocolTable: Sendable {
    /// One protocol.
    public struct Row: Sendable {
        /// The subprotocol that chooses it, an HTTP token. Names are case-sensitive.
        public let subprotocol: String
        /// Makes the conversation of one connection.
        public let begin: @Sendable () -> any ClientProtocol

        public init(subprotocol: String, begin: @escaping @Sendable () -> any ClientProtocol) {
            self.subprotocol = subprotocol
            self.begin = begin
        }
    }

    private let rows: [Row]

    /// - Parameter rows: no two with the same subprotocol.
    public init(_ rows: [Row] = []) {
        self.rows = rows
    }

    /// The first of a client's subprotocols that chooses a protocol of the table; nil when none does.
    public func chooseSubprotocol(offered: [String]) -> String? {
        rows.isEmpty ? nil : offered.first { name in rows.contains { $0.subprotocol == name } }
    }

    /// Begins the conversation of a connection with this subprotocol; nil when its client speaks raw frames.
    public func begin(_ subprotocol: String) -> (any ClientProtocol)? {
        rows.first { $0.subprotocol == subprotocol }?.begin()
    }
}
