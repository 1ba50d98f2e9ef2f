// Slots are reused, tokens are not.

import Glibc
import SeededGenerator
import Testing

@testable import EventLoop

@Suite("SourceTable", .bounded)
struct SourceTableTests {
    private func source() -> Source { Source(descriptor: -1) }

    @Test("a token finds its source until the source is removed")
    func lookUp() {
        var table = SourceTable()
        let source = source()
        let token = table.insert(source)
        #expect(table[token] === source)
        #expect(table.source(at: Int(token.slot)) === source)
        table.remove(token)
        #expect(table[token] == nil)
        #expect(table.source(at: Int(token.slot)) == nil)
        #expect(table.count == 0)
    }

    @Test("a stale token neither finds nor changes the new source in its slot")
    func staleToken() {
        var table = SourceTable()
        let stale = table.insert(source())
        table.remove(stale)
        let stranger = source()
        let token = table.insert(stranger)
        #expect(token.slot == stale.slot)
        #expect(token != stale)
        #expect(table[stale] == nil)
        table.remove(stale)
        table.setDeadline(1, of: stale)
        #expect(table[token] === stranger)
        #expect(table.armed == 0)
    }

    @Test("a token from nowhere finds nothing")
    func foreignToken() {
        var table = SourceTable()
        _ = table.insert(source())
        #expect(table[Token(slot: 1, generation: 0)] == nil)
        #expect(table[Token(slot: .max, generation: .max)] == nil)
        #expect(table.source(at: 7) == nil)
    }

    @Test("a token survives the trip through epoll's one number")
    func packing() {
        for token in [
            Token(slot: 0, generation: 0), Token(slot: .max, generation: 0), Token(slot: 0, generation: .max),
            Token(slot: 1, generation: 2),
        ] {
            #expect(Token(packed: token.packed) == token)
        }
    }

    @Test("keeps a source alive from insert to remove")
    func ownership() {
        var table = SourceTable()
        weak var watched: Source?
        let token: Token
        do {
            let source = source()
            watched = source
            token = table.insert(source)
        }
        #expect(watched != nil)
        table.remove(token)
        #expect(watched == nil)
    }

    /// Cancelled or orphaned ones never do.
    @Test("each deadline expires once")
    func deadlines() {
        var table = SourceTable()
        let tokens = (0..<5).map { _ in table.insert(source()) }
        for (token, tick) in zip(tokens, [10, 20, 20, 30, 5] as [UInt32]) { table.setDeadline(tick, of: token) }
        table.setDeadline(12, of: tokens[0])
        table.setDeadline(SourceTable.noDeadline, of: tokens[2])
        table.remove(tokens[4])
        #expect(table.armed == 3)
        #expect(expired(&table, at: 11) == [])
        #expect(expired(&table, at: 12) == [tokens[0].slot])
        #expect(expired(&table, at: 29) == [tokens[1].slot])
        #expect(expired(&table, at: 100) == [tokens[3].slot])
        #expect(expired(&table, at: 100) == [])
        #expect(table.armed == 0)
    }

    @Test("agrees with a dictionary over random inserts, removals and deadlines", arguments: 0..<4)
    func fuzz(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var table = SourceTable()
        var model: [Token: (source: Source, deadline: UInt32?)] = [:]
        var gone: [Token] = []
        for tick in 1...1_000 as ClosedRange<UInt32> {
            switch Int.random(in: 0...4, using: &generator) {
            case 0, 1:
                let source = source()
                model[table.insert(source)] = (source, nil)
            case 2:
                guard let token = model.keys.sorted(by: { $0.packed < $1.packed }).randomElement(using: &generator)
                else { continue }
                table.remove(token)
                model[token] = nil
                gone.append(token)
            case 3:
                guard let token = model.keys.sorted(by: { $0.packed < $1.packed }).randomElement(using: &generator)
                else { continue }
                let deadline = tick + UInt32.random(in: 0...50, using: &generator)
                table.setDeadline(deadline, of: token)
                model[token]!.deadline = deadline
            default:
                let due = model.filter { $0.value.deadline.map { $0 <= tick } == true }.keys
                #expect(expired(&table, at: tick).sorted() == due.map(\.slot).sorted())
                for token in due { model[token]!.deadline = nil }
            }
        }
        #expect(model.allSatisfy { table[$0.key] === $0.value.source })
        #expect(gone.allSatisfy { table[$0] == nil })
        #expect(table.count == model.count)
        #expect(table.armed == model.count { $0.value.deadline != nil })
    }

    private func expired(_ table: inout SourceTable, at tick: UInt32) -> [UInt32] {
        var tokens: [Token] = []
        table.findExpired(at: tick, into: &tokens)
        return tokens.filter { table.takeExpired($0, at: tick) }.map(\.slot)
    }
}
