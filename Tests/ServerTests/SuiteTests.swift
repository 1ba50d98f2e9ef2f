// The tests as texts: rules that hold for every suite.

import Foundation
import PerigeeTestKit
import Testing

@Suite("Suites", .bounded)
struct SuiteTests {
    private static let folder = String(#filePath.dropLast("/ServerTests/SuiteTests.swift".count))

    @Test("every type of tests is a suite with a time limit")
    func limits() throws {
        let names = try #require(FileManager.default.enumerator(atPath: Self.folder)).compactMap { $0 as? String }
        var suites = 0
        for name in names where name.hasSuffix("Tests.swift") {
            let text = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
            let attributes = text.split(separator: "\n@Suite").dropFirst()
            for attribute in attributes {
                suites += 1
                let end = attribute.firstRange(of: #/(struct|class) \w+/#)?.lowerBound ?? attribute.endIndex
                #expect(attribute[..<end].contains(".bounded"), "\(name)")
            }
            let types = text.split(separator: "\n").count {
                $0.wholeMatch(of: #/(final class|struct) \w+Tests\b.*/#) != nil
            }
            #expect(types <= attributes.count, "\(name) has a type of tests without @Suite")
        }
        #expect(suites >= 190, "\(suites) suites")
    }

    @Test("every title of a test or suite has at most 72 characters")
    func titles() throws {
        let title = #/@(?:Test|Suite)\(\s*(?:(#+)"(.*?)"\1|"((?:[^"\\]|\\.)*)")/#
        let names = try #require(FileManager.default.enumerator(atPath: Self.folder)).compactMap { $0 as? String }
        var titles = 0
        for name in names where name.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
            for match in text.matches(of: title) {
                titles += 1
                let words = match.2 ?? (match.3 ?? "").replacing(#/\\(.)/#) { $0.1 }
                #expect(words.count <= 72, "\(name): \(words)")
            }
        }
        #expect(titles >= 1_500, "\(titles) titles")
    }

    @Test("the release run has every suite that starts the program")
    func programSuites() throws {
        let root = Self.folder.dropLast("/Tests".count)
        let answer = try ChildProcess.shell("make -s -C '\(root)' program-suites", timeout: .seconds(60))
        #expect(answer.status == 0, "\(answer.errors)")
        let filter = try Regex(answer.output.trimmingCharacters(in: .whitespacesAndNewlines))
        var files: [String: String] = [:]
        let names = try #require(FileManager.default.enumerator(atPath: Self.folder)).compactMap { $0 as? String }
        for name in names where name.hasPrefix("ServerTests/") && name.hasSuffix(".swift") {
            files[name] = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
        }
        // Types of which some start the program, which others use, and so on.
        var starters: Set = ["PerigeeProgram"]
        func starts(_ text: String) -> Bool { starters.contains { text.contains("\($0)(") || text.contains("\($0).") } }
        for _ in 0..<3 {
            for (name, text) in files where !name.hasSuffix("Tests.swift") && starts(text) {
                for type in text.matches(of: #/\n(?:final class|struct|enum) (\w+)/#) { starters.insert("\(type.1)") }
            }
        }
        #expect(starters.isSuperset(of: ["PerigeeProcess", "ActivatedProcess", "Soak"]))
        var suites = 0
        for (name, text) in files where name.hasSuffix("Tests.swift") && starts(text) {
            for type in text.matches(of: #/\n(?:final class|struct) (\w+Tests)\b/#) where type.1 != "SuiteTests" {
                suites += 1
                #expect(try filter.wholeMatch(in: "ServerTests.\(type.1)") != nil, "\(name)")
            }
        }
        #expect(suites >= 20, "\(suites) suites start the program")
        #expect(try filter.wholeMatch(in: "ServerTests.LogQueueTests") == nil)
    }
}
