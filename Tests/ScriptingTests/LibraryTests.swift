import Testing

@testable import Scripting

@Suite("replaced functions", .bounded)
struct LibraryTests {
    @Test("answer as Lua's own on every row of a table, values and errors")
    func rows() throws {
        let twins = try TwinScript(LibraryCases.source)
        #expect(LibraryCases.all.count >= 150)
        var raised = 0
        for (index, row) in LibraryCases.all.enumerated() {
            let (stock, sandbox) = twins.answers(Array("\(index + 1)".utf8))
            #expect(stock == sandbox, "\(row)")
            raised += stock.hasPrefix("boolean false") ? 1 : 0
        }
        #expect(raised > 50 && raised < LibraryCases.all.count - 100)
    }
}
