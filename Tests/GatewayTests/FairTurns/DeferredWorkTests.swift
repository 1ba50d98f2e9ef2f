// The rotation of the work that a turn has left over.

import Scripting
import SeededGenerator
import Testing

@testable import Gateway

@Suite("Deferred work", .bounded)
struct DeferredWorkTests {
    private func connection(_ slot: UInt32) -> ConnectionHandle { ConnectionHandle(slot: slot, generation: 1) }

    private func question(_ ticket: UInt64) -> DeferredQuestion {
        .request(ScriptQuestion(fields: []), script: "main", reply: Reply(ticket: ticket, answers: Answers()))
    }

    /// A source that has more work goes to the back.
    @Test("sources take turns in the order of their arrival")
    func rotation() {
        var work = DeferredWork()
        work.append(connection(1), at: 10)
        work.append(question(1), at: 11)
        work.append(question(2), at: 12)
        work.append(connection(2), at: 13)
        #expect(work.connectionCount == 2)
        #expect(work.sourceCount == 3)
        var seen: [DeferredWork.Source] = []
        for _ in 0..<4 {
            guard let source = work.beginVisit() else { break }
            seen.append(source)
            var hasMore = false
            if source == .questions {
                _ = work.nextQuestion()
                hasMore = !work.questions.isEmpty
            }
            work.endVisit(hasMore: hasMore)
        }
        #expect(seen == [.connection(connection(1)), .questions, .connection(connection(2)), .questions])
        #expect(work.isEmpty && work.connectionCount == 0)
    }

    @Test("connections that wait because of others take every other turn")
    func favoured() {
        var work = DeferredWork()
        for slot in 1...4 { work.append(connection(UInt32(slot)), at: 10) }
        for slot in 5...6 { work.append(connection(UInt32(slot)), at: 5, isFavoured: true) }
        #expect(work.connectionCount == 6 && work.oldest == 5)
        var seen: [UInt32] = []
        while case .connection(let handle)? = work.beginVisit() {
            seen.append(handle.slot)
            work.endVisit(hasMore: false)
        }
        #expect(seen == [5, 1, 6, 2, 3, 4] && work.isEmpty)
    }

    @Test("a source that is put off again while it has its turn keeps its age")
    func age() {
        var work = DeferredWork()
        work.append(connection(1), at: 10)
        let first = work.beginVisit()
        work.append(connection(1), at: 50)
        work.endVisit(hasMore: false)
        #expect(work.oldest == 10)
        let second = work.beginVisit()
        work.endVisit(hasMore: false)
        #expect(first == .connection(connection(1)) && second == first)
        work.append(connection(1), at: 60)
        #expect(work.oldest == 60)
    }

    @Test("each source has one place under random use and nothing is lost", arguments: 0..<20)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var work = DeferredWork()
        var added: UInt64 = 0
        var taken: [UInt64] = []
        for step in 0..<2_000 {
            if Bool.random(using: &random) {
                added += 1
                work.append(question(added), at: UInt64(step))
            } else if work.beginVisit() != nil {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    if let ticket = work.nextQuestion()?.reply?.ticket { taken.append(ticket) }
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        added += 1
                        work.append(question(added), at: UInt64(step))
                    }
                }
                work.endVisit(hasMore: !work.questions.isEmpty)
            }
            #expect(work.sourceCount == (work.questions.isEmpty ? 0 : 1))
            #expect(work.connectionCount == 0)
        }
        while let ticket = work.nextQuestion()?.reply?.ticket { taken.append(ticket) }
        #expect(added > 500)
        #expect(taken == Array(1...added))
    }
}
