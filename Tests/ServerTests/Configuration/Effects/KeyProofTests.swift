import Foundation
import Testing

@testable import Settings

@Suite("Keys of the configuration and their tests", .bounded)
struct KeyProofTests {
    private static let tests = String(#filePath.dropLast("/Configuration/Effects/KeyProofTests.swift".count))

    @Test("every key has a test that gives it an unlike value")
    func complete() {
        #expect(KeyProof.all.map(\.key).sorted() == Configuration.keys.map(\.path).sorted())
        #expect(KeyProof.all.count >= 83)
    }

    @Test("the test exists and sets the key itself or by a function it calls", arguments: KeyProof.all.map(\.key))
    func exists(_ key: String) throws {
        let proof = try #require(KeyProof.all.first { $0.key == key })
        let row = try #require(Configuration.keys.first { $0.path == key })
        let text = try String(contentsOfFile: "\(Self.tests)/\(proof.file)", encoding: .utf8)
        let reached = FileMember.reached(from: proof.function, in: FileMember.all(of: text))
        #expect(!reached.isEmpty, "\(proof.file) has no \(proof.function)")
        let settings = ["$0.\(key)", "configuration.\(key) =", "\"\(key)\"", row.environmentName]
        let isSet = reached.contains { member in
            settings.contains { setting in
                member.text.ranges(of: setting).contains { range in
                    member.text[range.upperBound...].first.map { !$0.isLetter && $0 != "_" } ?? false
                }
            }
        }
        #expect(isSet, "\(proof.function) of \(proof.file) does not set \(key)")
    }

    @Test("a key changes the field of its name and no other", arguments: KeyProof.all.map(\.key))
    func field(_ key: String) throws {
        let proof = try #require(KeyProof.all.first { $0.key == key })
        var configuration = Configuration()
        let before = Self.fields(of: configuration)
        try configuration.set(key, proof.unlike)
        let after = Self.fields(of: configuration)
        #expect(before.count == after.count && before.count >= KeyProof.all.count)
        #expect(before.keys.filter { before[$0] != after[$0] } == [key])
    }

    /// Every field of every section by its path.
    private static func fields(of configuration: Configuration) -> [String: String] {
        var fields: [String: String] = [:]
        for child in Mirror(reflecting: configuration).children {
            let name = child.label ?? ""
            let section = Mirror(reflecting: child.value).children
            guard Configuration.sections.contains(where: { $0.name == name }) else {
                fields[name] = String(reflecting: child.value)
                continue
            }
            for field in section { fields["\(name).\(field.label ?? "")"] = String(reflecting: field.value) }
        }
        return fields
    }
}
