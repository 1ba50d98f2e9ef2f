// The tests as texts: what every suite has.

import Foundation
import Testing

@Suite("Suites", .bounded)
struct SuiteTests {
    private static let folder = String(#filePath.dropLast("/ServerTests/SuiteTests.swift".count))

    @Test("every suite has a time limit, and every type of tests is a suite")
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
}
