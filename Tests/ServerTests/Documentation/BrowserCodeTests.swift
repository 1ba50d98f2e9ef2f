// The documentation's parts for browsers: the picture of the demo page, and the code of a page that connects.

import Foundation
import JSON
import PerigeeTestKit
import Server
import Testing

@Suite("Documentation: in a browser", .plainOnly("the code that is shown speaks plain WebSocket"), .bounded)
struct BrowserCodeTests {
    private static let picture = "\(Documentation.root)/\(Documentation.catalogue)/Resources/demo-page.png"

    @Test("the picture of the demo page is there (PERIGEETEST_WRITE=1 takes it)")
    func picture() throws {
        if ProcessInfo.processInfo.environment["PERIGEETEST_WRITE"] != nil { try Self.takePicture() }
        let bytes = try Data(contentsOf: URL(filePath: Self.picture))
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) && bytes.count > 10_000)
    }

    /// Connects, says something, pushes something, and takes the picture.
    private static func takePicture() throws {
        try withServer { server in
            let browser = try Chromium.start()
            let page = try browser.open("\(server.server.pageURL)/", width: 1000, height: 700)
            try page.prefer(dark: false)
            try page.click("#connect")
            try page.waitUntil("document.querySelector('#curl-connection').textContent.startsWith('curl ')")
            try page.type("good morning", into: "#text")
            try page.press("Enter")
            try page.waitUntil("document.querySelector('#log').textContent.includes('you said: good morning')")
            let push = try server.ask("POST", "/v1/channels/lobby/messages", body: "hello")
            try #require(push.status == 200)
            try page.waitUntil("document.querySelector('#log').textContent.includes('hello')")
            let folder = picture.dropLast("/demo-page.png".count)
            try FileManager.default.createDirectory(atPath: String(folder), withIntermediateDirectories: true)
            try page.screenshot(to: picture)
        }
    }

    @Test("a page connects and hears with the code of 'Getting started'")
    func page() throws {
        let blocks = try Documentation.pages().flatMap(\.code).filter { $0.language == "js" }
        #expect(blocks.count == 1)
        try withServer { server in
            let browser = try Chromium.start()
            let page = try browser.open("\(server.server.pageURL)/")
            for block in blocks {
                try page.evaluate("window.heard = []; console.log = (text) => heard.push(text); null")
                let code = block.text.replacing(":8080", with: ":\(server.clientPort)")
                try page.evaluate("(() => { \(code) })(); null")
                try page.waitUntil("heard.includes('you said: good morning')")
                #expect(try page.evaluate("JSON.parse(heard[0]).type") == "welcome")
            }
        }
    }
}
