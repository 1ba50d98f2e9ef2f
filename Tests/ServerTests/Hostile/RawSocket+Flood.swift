// The client of every flood: it sends and never reads.

import PerigeeTestKit

extension RawSocket {
    /// Sends the same bytes again and again until the server has cut the connection off; answers how often it took them.
    @discardableResult
    func sendUntilCutOff(_ bytes: [UInt8]) throws(ClientError) -> Int {
        for round in 0..<100_000 {
            do {
                try send(bytes)
            } catch .system {
                return round
            }
        }
        throw .unexpected("the server takes everything")
    }
}
