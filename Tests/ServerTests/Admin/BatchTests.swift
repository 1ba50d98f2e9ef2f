// POST /v1/batch over real sockets: arrays and streamed lines, items that fail, slow and silent peers, and the end of the server.

import JSON
import PerigeeTestKit
import PubSub
import Settings
import Testing

@testable import Server

@Suite("Admin: batches", .bounded)
struct BatchTests {
    /// A batch of lines whose sender decides what goes when.
    private struct Lines {
        let socket: RawSocket

        init(_ server: TestServer, fields: String = "", receiveBuffer: Int? = nil) throws {
            socket = try RawSocket.connect(port: server.adminPort, timeout: .seconds(20), receiveBuffer: receiveBuffer)
            try socket.send(
                "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n")
        }

        static func chunk(_ text: String) -> [UInt8] {
            Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8)
        }

        func send(_ text: String) throws { try socket.send(Self.chunk(text)) }

        func end() throws { try socket.send("0\r\n\r\n") }

        func readHead() throws -> String {
            String(decoding: try socket.read(until: "\r\n\r\n"), as: UTF8.self)
        }

        /// The next chunk; empty at the end of the answer.
        func readChunk() throws -> String {
            let size = String(decoding: try socket.read(until: "\r\n").dropLast(2), as: UTF8.self)
            let count = try #require(Int(size, radix: 16))
            return String(decoding: try socket.read(count: count + 2).dropLast(2), as: UTF8.self)
        }

        /// The results up to the end of the answer.
        func readResults() throws -> [JSON] {
            var text = ""
            while case let chunk = try readChunk(), !chunk.isEmpty { text += chunk }
            return try text.split(separator: "\n").map { try JSON(parsing: String($0)) }
        }
    }

    private static func item(_ data: String, channel: String = "news") -> String {
        #"{"channel":"\#(channel)","data":"\#(data)"}"#
    }

    /// A server whose channels keep history: the offset of a result tells the place at which its item was pushed.
    private func withServer(
        scripts: [String: String], configure: (inout Configuration) -> Void = { _ in },
        _ body: (TestServer) throws -> Void
    ) throws {
        var options = ChannelOptions()
        options.history.size = 10
        let everything = ChannelRules([.init(ChannelPattern("*")!, options)])
        try PerigeeTestKit.withServer(
            scripts: scripts,
            configure: {
                $0.channels = everything
                configure(&$0)
            }, body)
    }

    // MARK: Items

    @Test("an array is pushed in order and answered item by item")
    func array() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let body =
                " ["
                + [Self.item("a"), "7", #"{"channels":["news","sport"],"data":[1, 2]}"#, Self.item("b")]
                .joined(separator: " ,\n") + "] "
            let answer = try server.ask("POST", "/v1/batch", body: body)
            #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
            let results = try #require(try answer.json()["results"]?.array)
            try #require(results.count == 4)
            #expect(results[0]["offset"] == 1 && results[0]["matched"] == 1 && results[0]["id"]?.string != nil)
            #expect(results[1]["error"]?["code"] == "json_invalid" && results[1]["status"] == 400)
            #expect(results[2]["results"]?.array?.map { $0["matched"]?.int } == [1, 0])
            #expect(results[3]["offset"] == 3)
            #expect(try client.socket.receiveAll() == [.text("a"), .text("[1, 2]"), .text("b")])
            #expect(try server.ask("POST", "/v1/batch", body: "[]").json()["results"]?.array == [])
        }
    }

    @Test("the longest array has a result for each item, in order")
    func longArray() throws {
        try withServer(scripts: AdminScripts.both) { server in
            // A channel counts its publications while it has a subscriber.
            let client = try Client(server, "/?channel=news")
            let body = "[" + (0..<10_000).map { $0 % 10 == 9 ? "{}" : Self.item("\($0)") }.joined(separator: ",") + "]"
            let results = try #require(try server.ask("POST", "/v1/batch", body: body).json()["results"]?.array)
            try #require(results.count == 10_000)
            #expect(results.compactMap { $0["offset"]?.int } == Array(1...9_000))
            for number in 0..<10_000 where number % 10 != 9 {
                #expect(try client.socket.receive() == .text("\(number)"))
            }
            #expect(results.indices.allSatisfy { ($0 % 10 == 9) == (results[$0]["status"] == 400) })
            let node = try server.ask("GET", "/v1/node").json()
            #expect(node["batchItems"] == 10_000 && node["batchStreams"] == 0)
        }
    }

    @Test("for HTTP/1.0 the results last to the connection's end")
    func oldVersion() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let socket = try server.openAdmin()
            let lines = Self.item("a") + "\n" + Self.item("b")
            try socket.send(
                "POST /v1/batch HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n"
                    + "Content-Length: \(lines.utf8.count)\r\n\r\n\(lines)")
            let text = String(decoding: try socket.awaitEnd(), as: UTF8.self)
            let parts = text.split(separator: "\r\n\r\n")
            try #require(parts.count == 2)
            #expect(!parts[0].contains("Transfer-Encoding") && parts[0].contains("Connection: close"))
            let results = try parts[1].split(separator: "\n").map { try JSON(parsing: String($0)) }
            #expect(results.map { $0["id"] != nil } == [true, true])
        }
    }

    @Test("an array that is no array, too long or too large pushes nothing")
    func badArrays() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let many = "[" + Array(repeating: Self.item("x"), count: 10_001).joined(separator: ",") + "]"
            let large = "[" + Self.item(String(repeating: "x", count: 1 << 20)) + "]"
            for (body, status, code) in [
                ("[\(Self.item("x"))", 400, "json_invalid"), ("[\(Self.item("x")),]", 400, "json_invalid"),
                ("[\(Self.item("x"))] x", 400, "json_invalid"), (many, 413, "batch_too_long"),
                (large, 413, "body_too_large"),
            ] {
                let answer = try server.ask("POST", "/v1/batch", body: body)
                #expect(answer.status == status && answer.errorCode == code, "\(body.prefix(30))")
            }
            #expect(try client.socket.receiveAll() == [])
        }
    }

    /// Item → the code of its failure; nil for one that is pushed.
    private static let items: [(item: String, code: String?)] = [
        (item("1"), nil), ("nonsense", "json_invalid"), (item("2"), nil), ("{}", "json_invalid"),
        (#"{"channel":"","data":"x"}"#, "channel_name_invalid"), (item("3"), nil),
        (#"{"connection":"nobody","data":"x"}"#, "connection_not_found"), (item("4") + item("5"), "json_invalid"),
        (#"{"channel":"news","data":"\#u{80}"#, "json_invalid"), (item("6"), nil),
        (#"{"user":"nobody","data":"x"}"#, nil), ("[]", "json_invalid"), ("  " + item("7") + " \r", nil),
        (#"{"channel":"news","data":"x","idempotencyKey":""}"#, "idempotency_key_invalid"),
        (#"{"channel":"n\u0065ws","data":"\u0038"}"#, nil),
    ]

    @Test("each line has a result in its place, and one that fails does so alone")
    func lines() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let body = Self.items.map(\.item).joined(separator: "\n\n") + "\n \n"
            let answer = try server.ask("POST", "/v1/batch", body: body)
            #expect(answer.status == 200 && answer.header("Content-Type") == "application/x-ndjson")
            let results = try answer.text.split(separator: "\n").map { try JSON(parsing: String($0)) }
            try #require(results.count == Self.items.count)
            for ((item, code), result) in zip(Self.items, results) {
                #expect(result["error"]?["code"]?.string == code, "\(item)")
                #expect((result["matched"] == nil) == (code != nil) && (result["status"] == nil) == (code == nil))
            }
            #expect(try client.socket.receiveAll() == [1, 2, 3, 6, 7, 8].map { .text("\($0)") })
        }
    }

    @Test("results come during the request, and the connection is kept")
    func duplex() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let batch = try Lines(server)
            for number in 1...3 {
                try batch.send(Self.item("\(number)") + "\n" + #"{"channel":"#)
                if number == 1 { #expect(try batch.readHead().hasPrefix("HTTP/1.1 200 OK\r\n")) }
                #expect(try JSON(parsing: batch.readChunk())["offset"]?.int == 2 * number - 1)
                try batch.send(#""news","data":"half"}"# + "\n")
                #expect(try JSON(parsing: batch.readChunk())["offset"]?.int == 2 * number)
            }
            try batch.send(Self.item("last"))
            try batch.end()
            #expect(try batch.readResults().map { $0["offset"]?.int } == [7])
            #expect(try client.socket.receiveAll().count == 7)
            try batch.socket.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            #expect(String(decoding: try batch.socket.awaitEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test("a batch waits for earlier requests, and later ones wait for it")
    func pipeline() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let push = "POST /v1/channels/news/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\n"
            let lines = (0..<500).map { Self.item("\($0)") }.joined(separator: "\n")
            let socket = try server.openAdmin()
            try socket.send(
                push + "a" + "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(lines.utf8.count)\r\n\r\n"
                    + lines + push + "b")
            try socket.shutdownWrite()
            let text = String(decoding: try socket.awaitEnd(), as: UTF8.self)
            #expect(text.split(separator: "HTTP/1.1 200 OK").count == 3)
            let offsets = text.split(separator: "\"offset\":").dropFirst().map { Int($0.prefix { $0.isNumber }) }
            #expect(offsets == Array(1...502))
            let messages = try client.socket.receiveAll()
            #expect(messages == ([.text("a")] + (0..<500).map { .text("\($0)") } + [.text("b")]))
        }
    }

    @Test("scripts are asked about the items one after the other")
    func scripts() throws {
        let script =
            AdminScripts.main
                + """

                function onPublish(publication)
                    if publication.data == "no" then return false, "no" end
                    server.sleep(math.random() / 100)
                end
                """
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try Client(server, "/?channel=news")
            let data = (0..<30).map { $0 % 7 == 3 ? "no" : "\($0)" }
            let answer = try server.ask(
                "POST", "/v1/batch", body: data.map { Self.item($0) }.joined(separator: "\n"))
            let results = try answer.text.split(separator: "\n").map { try JSON(parsing: String($0)) }
            #expect(results.map { $0["error"]?["code"]?.string } == data.map { $0 == "no" ? "refused_by_script" : nil })
            #expect(try client.socket.receiveAll() == data.filter { $0 != "no" }.map { .text($0) })
        }
    }

    @Test("an item with a key is pushed once, and its repeat gets the first answer")
    func keys() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let first = #"{"channel":"news","data":"a","idempotencyKey":"k1"}"#
            let other = #"{"channel":"news","data":"b","idempotencyKey":"k1"}"#
            let answer = try server.ask("POST", "/v1/batch", body: [first, first, other].joined(separator: "\n"))
            let results = try answer.text.split(separator: "\n").map { try JSON(parsing: String($0)) }
            try #require(results.count == 3)
            #expect(results[0]["repeated"] == nil && results[1]["repeated"] == true)
            #expect(results[0]["id"] == results[1]["id"] && results[0]["id"] != nil)
            #expect(results[2]["error"]?["code"] == "idempotency_key_reused" && results[2]["status"] == 409)
            let again = try server.ask("POST", "/v1/publish", body: first).json()
            #expect(again["id"] == results[0]["id"] && again["repeated"] == true)
            #expect(try client.socket.receiveAll() == [.text("a")])
            let whole = try server.ask("POST", "/v1/batch", headers: [("Idempotency-Key", "k")], body: first)
            #expect(whole.status == 400 && whole.errorCode == "idempotency_key_invalid")
        }
    }

    // MARK: Bounds and ends

    @Test("a line that never ends fails alone and keeps no memory")
    func endlessLine() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.maxBody = 10_000 }) { server in
            let batch = try Lines(server)
            try batch.send(Self.item("a") + "\n")
            _ = try batch.readHead()
            #expect(try JSON(parsing: batch.readChunk())["offset"] != nil)
            let piece = Lines.chunk(String(repeating: "x", count: 60_000))
            for _ in 0..<500 { try batch.socket.send(piece) }
            #expect(try JSON(parsing: batch.readChunk())["error"]?["code"] == "body_too_large")
            try batch.send("\n" + Self.item("b"))
            try batch.end()
            #expect(try batch.readResults().map { $0["offset"] != nil } == [true])
        }
    }

    @Test("a sender that reads no results is slowed down, and loses none")
    func slowReader() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let batch = try Lines(server, receiveBuffer: 4_096)
            // The results are far more than the kernel's buffers and a megabyte.
            let count = 100_000
            let end = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            var rest = (Lines.chunk(String(repeating: "{}\n", count: count)) + Array(end.utf8))[...]
            func send() throws { rest = rest.dropFirst(try batch.socket.sendAvailable(Array(rest.prefix(1 << 16)))) }
            var taken = 0
            var calm = 0
            while calm < 100 {
                try send()
                let items = try #require(try server.ask("GET", "/v1/node").json()["batchItems"]?.int)
                calm = items == taken && items > 0 ? calm + 1 : 0
                taken = items
            }
            #expect(taken > 1_000 && taken < count, "\(taken) items were taken although no result was read")
            try batch.socket.setReceiveBuffer(1 << 20)
            var results: [UInt8] = []
            while !rest.isEmpty {
                results += batch.socket.readAvailable()
                try send()
            }
            results += try batch.socket.awaitEnd()
            let ends = zip(results, results.dropFirst()).count { $0 == UInt8(ascii: "}") && $1 == UInt8(ascii: "\n") }
            #expect(ends == count)
            #expect(String(decoding: results.suffix(2), as: UTF8.self) == "ok")
        }
    }

    @Test("a sender that falls silent or is cut off is told which items were taken")
    func silent() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.requestTimeout = .milliseconds(300) }) {
            server in
            for isCut in [false, true] {
                let batch = try Lines(server)
                try batch.send(Self.item("a") + "\n" + Self.item("b") + "\n{\"chan")
                if isCut { try batch.socket.shutdownWrite() }
                _ = try batch.readHead()
                let results = try batch.readResults()
                #expect(results.map { $0["offset"] != nil } == [true, true, false])
                #expect(results.last?["error"]?["code"]?.string == (isCut ? "bad_request" : "request_timeout"))
                #expect(results.last?["ended"] == true)
                #expect(try batch.socket.awaitEnd() == [])
            }
        }
    }

    @Test("framing that breaks ends the batch behind its items")
    func brokenFraming() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let batch = try Lines(server)
            try batch.send(Self.item("a") + "\n")
            try batch.socket.send("no size\r\n")
            _ = try batch.readHead()
            let results = try batch.readResults()
            #expect(results.count == 2 && results[1]["error"]?["code"] == "bad_request")
            #expect(results[1]["ended"] == true && results[1]["status"] == 400)
            #expect(try batch.socket.awaitEnd() == [])
        }
    }

    @Test("a drain ends batches behind the items that have begun")
    func drain() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let batch = try Lines(server)
            try batch.send(Self.item("a") + "\n")
            _ = try batch.readHead()
            #expect(try JSON(parsing: batch.readChunk())["offset"] == 1)
            let answer = try server.ask("POST", "/v1/drain?over=20s")
            #expect(answer.status == 202)
            let results = try batch.readResults()
            #expect(results.count == 1 && results[0]["error"]?["code"] == "stopping")
            #expect(results[0]["ended"] == true && results[0]["status"] == 503)
            #expect(try batch.socket.awaitEnd() == [])
            #expect(try client.socket.receive() == .text("a"))
            // Lines might go on for ever; an array does not.
            let refused = try server.ask("POST", "/v1/batch", body: Self.item("b"))
            #expect(refused.status == 503 && refused.errorCode == "stopping")
            let taken = try server.ask("POST", "/v1/batch", body: "[\(Self.item("c"))]")
            #expect(try taken.json()["results"]?.array?.first?["id"] != nil)
        }
    }

    @Test("a batch whose client is gone ends, and its pushed items stay")
    func gone() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let batch = try Lines(server)
            try batch.send(Self.item("a") + "\n{\"half")
            _ = try batch.readHead()
            _ = try batch.readChunk()
            #expect(try server.ask("GET", "/v1/node").json()["batchStreams"] == 1)
            try batch.socket.reset()
            try server.eventually("the batch ends") { try server.nodeState()["batchStreams"] == 0 }
            #expect(try client.socket.receiveAll() == [.text("a")])
        }
    }

    @Test("a batch without the scope is refused before its body")
    func access() throws {
        try withServer(
            scripts: AdminScripts.both,
            configure: { $0.admin.keys = [AdminKey(name: "reader", key: "0123456789abcdef", scopes: [.read])] }
        ) { server in
            let batch = try Lines(server, fields: "X-API-Key: 0123456789abcdef\r\nExpect: 100-continue\r\n")
            #expect(try batch.readHead().hasPrefix("HTTP/1.1 403 "))
        }
    }
}
