// The index of users against a plain model.

import SeededGenerator
import Testing
import TimeBound

@testable import Gateway

@Suite("User index", .timeLimit(.minutes(TimeBound.isSanitized ? 20 : 1)), .bounded)
struct UserIndexTests {
    private final class Member: UserMember {
        var placeOfUser = 0
        var user: String?
    }

    @Test("agrees with a plain list of members", arguments: 0..<10)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // Two spellings that Unicode calls equivalent are two users.
        let users = ["ada", "\u{E9}", "e\u{301}"]
        let members = (0..<30).map { _ in Member() }
        var index = UserIndex<Member>()
        var changes = 0
        for _ in 0..<2_000 {
            guard let member = members.randomElement(using: &random) else { continue }
            if let old = member.user { index.remove(member, of: old) }
            member.user = Bool.random(using: &random) ? users.randomElement(using: &random) : nil
            if let new = member.user {
                index.insert(member, of: new)
                changes += 1
            }
            for user in users {
                let expected = members.filter { $0.user.map { Array($0.utf8) } == Array(user.utf8) }
                #expect(Set(index[user].map(ObjectIdentifier.init)) == Set(expected.map(ObjectIdentifier.init)))
                #expect(index[user].count == expected.count)
            }
        }
        #expect(changes > 500)
    }

    @Test("300,000 connections of one user leave at once, first come first gone")
    func crowd() {
        var index = UserIndex<Member>()
        let members = (0..<300_000).map { _ in Member() }
        for member in members { index.insert(member, of: "ada") }
        #expect(index["ada"].count == members.count)
        for member in members { index.remove(member, of: "ada") }
        #expect(index["ada"].isEmpty)
    }
}
