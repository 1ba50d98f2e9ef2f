// The demo page in a real browser, against a running server with the scripts as shipped: the steps and the view of a first
// user.

import JSON
import PerigeeTestKit
import Server
import Testing

@Suite("Demo page", .serialized, .bounded)
struct DemoPageTests {
    /// Unconnected, connecting, connected, closing, closed.
    @Test("names the states from unconnected to closed in their order")
    func states() throws {
        try withPage { page, _ in
            #expect(try page.text(of: "#state") == "unconnected")
            try page.evaluate(
                """
                window.states = []
                new MutationObserver(() => states.push(document.querySelector('#state').textContent))
                  .observe(document.querySelector('#state'), {childList: true})
                """)
            try connect(page)
            try page.click("#close")
            try waitForState("closed (1000, closed by the page)", on: page)
            let expected: JSON = [
                "connecting", "connected, able to talk", "closing", "closed (1000, closed by the page)",
            ]
            #expect(try page.evaluate("states") == expected)
        }
    }

    @Test("says with which code and reason the server closed the connection")
    func closedByServer() throws {
        try withPage { page, adminPort in
            try connect(page)
            let path = "/v1/connections/\(try connectionID(on: page))?code=4000&reason=lunch"
            #expect(try HTTPClient.once("DELETE", path, port: adminPort).status < 300)
            try waitForState("closed (4000, lunch)", on: page)
        }
    }

    @Test("shows typed messages and answers with their sizes and counts the bytes")
    func talk() throws {
        try withPage { page, _ in
            try connect(page)
            try page.type("hello", into: "#text")
            try page.press("Enter")
            try waitForLog("you said: hello", on: page)
            #expect(try page.text(of: "#log .sent .what") == "hello")
            #expect(try page.text(of: "#log .sent .size") == "5 B")
            #expect(try page.text(of: "#text") == "", "the field is empty for the next message")
            try page.type("åäö", into: "#text")
            try page.click("#send")
            try waitForLog("you said: åäö", on: page)
            #expect(try page.text(of: "#sent") == "sent 2 messages, 11 bytes")
        }
    }

    @Test("shows messages as text, never as markup")
    func markup() throws {
        try withPage { page, _ in
            try connect(page)
            try page.type("<img src=x onerror='window.broken = 1'><b>bold</b>", into: "#text")
            try page.press("Enter")
            try waitForLog("you said: <img", on: page)
            #expect(try page.evaluate("document.querySelectorAll('#log img, #log b').length") == 0)
            #expect(try page.evaluate("typeof window.broken") == "undefined")
        }
    }

    @Test(
        "shows a command for the channel that works in a shell as it stands",
        arguments: ["lobby", #"it's $(touch x) "a/b" & 100% ünïcode\"#])
    func channelCommand(channel: String) throws {
        try withPage { page, _ in
            try page.type(channel, into: "#channel")
            try connect(page)
            let command = try page.text(of: "#curl-channel")
            let answer = try run(command)
            #expect(answer["matched"]?.int == 1, "\(command) answered \(answer)")
            try waitForLog("hello, \(channel)", on: page)
        }
    }

    @Test("shows a command for this very connection that no other page hears")
    func connectionCommand() throws {
        try withPage { page, _ in
            let other = try page.openSibling()
            try connect(page)
            try connect(other)
            let answer = try run(try page.text(of: "#curl-connection"))
            #expect(answer["queued"]?.int == 1, "it answered \(answer)")
            try waitForLog("hello, you", on: page)
            _ = try run(try other.text(of: "#curl-channel"))
            try waitForLog("hello, lobby", on: other)
            #expect(try !other.text(of: "#log").contains("hello, you"))
        }
    }

    @Test("offers a connection's command only while there is a connection")
    func noConnection() throws {
        try withPage { page, _ in
            #expect(try page.text(of: "#curl-connection") == "Connect first.")
            try connect(page)
            try page.click("#close")
            try page.waitUntil("document.querySelector('#curl-connection').textContent == 'Connect first.'")
            #expect(try page.evaluate("document.querySelector('[data-of=curl-connection]').disabled") == true)
        }
    }

    @Test("copies a command as shown or selects it without a clipboard interface")
    func copy() throws {
        try withPage { page, _ in
            let command = try page.evaluate("document.querySelector('#curl-channel').textContent")
            let clipboard = "Object.defineProperty(navigator, 'clipboard', {configurable: true, value: "
            try page.evaluate(clipboard + "{writeText: async text => { window.copied = text }}})")
            try page.click("[data-of=curl-channel]")
            #expect(try page.waitUntil("window.copied") == command)
            try page.evaluate(clipboard + "undefined})")
            try page.click("[data-of=curl-channel]")
            try page.waitUntil("getSelection().toString()")
            #expect(try page.evaluate("getSelection().toString()") == command)
        }
    }

    /// Enter connects, the message field has the focus, Enter sends.
    @Test("works with the keyboard alone")
    func keyboard() throws {
        try withPage { page, _ in
            try page.type("news", into: "#channel")
            try page.press("Enter")
            try waitForState("connected, able to talk", on: page)
            #expect(try page.evaluate("document.activeElement.id") == "text")
            try page.type("typed", into: "#text")
            try page.press("Enter")
            try waitForLog("you said: typed", on: page)
        }
    }

    @Test("fits a phone: nothing is wider than 320 pixels")
    func phone() throws {
        try withPage { page, _ in
            try page.resize(width: 320, height: 640)
            try connect(page)
            try page.type(String(repeating: "wide", count: 100), into: "#text")
            try page.press("Enter")
            try waitForLog("you said: wide", on: page)
            for element in ["html", "#log", "#curl-connection"] {
                let width = try page.evaluate("document.querySelector('\(element)').scrollWidth").int ?? 0
                let room = try page.evaluate("document.querySelector('\(element)').clientWidth").int ?? 0
                #expect(width <= room && room <= 320, "\(element) is \(width) wide in \(room)")
            }
        }
    }

    /// Serves the page with the scripts as shipped and opens it; afterwards the browser must have nothing to complain of.
    private func withPage(_ body: (ChromiumPage, _ adminPort: Int) throws -> Void) throws {
        try withServer { server in
            let browser = try Chromium.start()
            let page = try browser.open("\(server.server.pageURL)/")
            try body(page, Int(server.adminPort))
            #expect(try page.faults() == [])
        }
    }

    private func connect(_ page: ChromiumPage) throws {
        try page.click("#connect")
        try waitForState("connected, able to talk", on: page)
        try page.waitUntil("document.querySelector('#curl-connection').textContent.startsWith('curl ')")
    }

    private func waitForState(_ words: String, on page: ChromiumPage) throws {
        try page.waitUntil("document.querySelector('#state').textContent == \(JSON.string(words))")
    }

    private func waitForLog(_ part: String, on page: ChromiumPage) throws {
        try page.waitUntil("document.querySelector('#log').textContent.includes(\(JSON.string(part)))")
    }

    private func connectionID(on page: ChromiumPage) throws -> String {
        try #require(try page.evaluate("id").string)
    }

    /// Runs a command as the page shows it in a shell and answers the JSON it prints.
    private func run(_ command: String) throws -> JSON {
        let result = try ChildProcess.shell(command)
        #expect(result.status == 0, "\(command): \(result.errors)")
        return try JSON(parsing: result.output)
    }
}
