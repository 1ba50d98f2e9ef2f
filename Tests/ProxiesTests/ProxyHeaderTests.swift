// Both versions of the PROXY protocol: valid and invalid headers, whole and in pieces.

import EventLoop
import Proxies
import SeededGenerator
import Testing

@Suite("PROXY header", .bounded)
struct ProxyHeaderTests {
    private func read(_ bytes: some Collection<UInt8>) -> ProxyHeader.Outcome {
        Array(bytes).withUnsafeBytes { ProxyHeader.read($0) }
    }

    @Test("reads the client's address and the length of a header", arguments: ProxyHeaderRow.good)
    func good(_ row: ProxyHeaderRow) {
        #expect(read(row.bytes) == row.outcome)
        #expect(read(row.bytes + Array("GET / HTTP/1.1\r\n".utf8)) == row.outcome)
        #expect(row.bytes.count <= ProxyHeader.longest)
    }

    @Test("asks for more after every beginning of a header", arguments: ProxyHeaderRow.good)
    func pieces(_ row: ProxyHeaderRow) {
        for count in row.bytes.indices { #expect(read(row.bytes.prefix(count)) == .needMore, "\(count) bytes") }
    }

    @Test("refuses anything else and takes no part of it for a header", arguments: ProxyHeaderRow.bad)
    func bad(_ row: ProxyHeaderRow) {
        #expect(read(row.bytes) == row.outcome)
        for count in row.bytes.indices {
            let outcome = read(row.bytes.prefix(count))
            #expect(outcome == .needMore || outcome == row.outcome, "\(count) bytes")
        }
    }

    @Test("computes the published CRC-32C of the digits 1 to 9")
    func checksum() {
        #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test("decides at the longest header at the latest")
    func bounded() {
        var random = SeededGenerator(seed: 3)
        let beginnings = ProxyHeaderRow.good.map(\.bytes)
        for _ in 0..<2_000 {
            let beginning = beginnings.randomElement(using: &random)!
            var bytes = Array(beginning.prefix(Int.random(in: 0...beginning.count, using: &random)))
            while bytes.count < ProxyHeader.longest { bytes.append(UInt8.random(in: 0...255, using: &random)) }
            #expect(read(bytes) != .needMore)
        }
    }

    @Test("never traps on damaged headers and never reads beyond them")
    func fuzz() {
        var random = SeededGenerator(seed: 4)
        let rows = (ProxyHeaderRow.good + ProxyHeaderRow.bad).map(\.bytes)
        var taken = 0
        for _ in 0..<10_000 {
            var bytes = rows.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(place...)
                default: bytes.insert(contentsOf: bytes[place...], at: place)
                }
            }
            let outcome = read(bytes)
            if case .header(_, let length) = outcome {
                taken += 1
                #expect(length <= bytes.count && length <= ProxyHeader.longest)
                #expect(read(bytes.prefix(length)) == outcome)
            }
        }
        #expect(taken >= 1_000)
    }
}
