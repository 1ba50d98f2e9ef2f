// Looking through the admin API: connections, channels, scripts and the node, over two workers, page by page.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Admin: looking", .bounded)
struct LookingTests {
    @Test("one connection shows its identity, its figures and its channels")
    func connection() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.websocket.subprotocols = ["chat"] }) { server in
            for client in try Client.onBothWorkers(server, "/chat?channel=news&channel=sport&user=ada") {
                try client.socket.send("12345")
                #expect(try client.socket.receiveText() == "12345")
                let shown = try server.ask("GET", "/v1/connections/\(client.id)").json()
                #expect(shown["id"]?.string == client.id && shown["user"] == "ada" && shown["path"] == "/chat")
                #expect(shown["script"] == "chat" && shown["state"] == "open" && shown["subprotocol"] == .null)
                #expect(shown["channels"] == ["news", "sport"] && shown["queuedBytes"] == 0)
                #expect(shown["messagesIn"] == 1 && shown["messagesOut"] == 2)
                // A masked frame has 6 bytes before its payload, an unmasked one 2.
                #expect(shown["bytesIn"] == 11)
                #expect(shown["bytesOut"]?.int == 7 + 2 + client.id.utf8.count)
                #expect(shown["remoteAddress"]?.string?.hasPrefix("127.0.0.1:") == true)
                #expect((shown["openedAt"]?.int ?? 0) > 1_700_000_000)
            }
            let nobody = try server.ask("GET", "/v1/connections/nobody")
            #expect(nobody.status == 404 && nobody.errorCode == "connection_not_found")
            let nameless = try Client(server)
            #expect(try server.ask("GET", "/v1/connections/\(nameless.id)").json()["user"] == .null)
        }
    }

    @Test("a list shows the connections of all workers page by page, each once")
    func paging() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let clients = try Client.onBothWorkers(server) + (0..<5).map { _ in try Client(server) }
            for limit in [1, 2, clients.count, 1000] {
                let pages = try pages(of: "/v1/connections?limit=\(limit)", server)
                #expect(pages.allSatisfy { $0.count <= limit })
                #expect(pages.joined().compactMap { $0["id"]?.string }.sorted() == clients.map(\.id).sorted())
            }
            let whole = try server.ask("GET", "/v1/connections").json()
            #expect(whole["items"]?.array?.count == clients.count && whole["next"] == .null)
        }
    }

    @Test("a list can be narrowed by channel, user, path, and all together")
    func filters() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let paths = [
                "/chat?channel=news&user=ada", "/chat?channel=news", "/?channel=news&user=ada", "/?channel=a%20%26b",
                "/any/where?user=ada",
            ]
            let clients = try paths.map { try Client.onBothWorkers(server, $0) }
            let rows: [(query: String, paths: [Int])] = [
                ("channel=news", [0, 1, 2]), ("user=ada", [0, 2, 4]), ("path=/chat", [0, 1]), ("path=%2F", [2, 3]),
                ("channel=a%20%26b", [3]), ("channel=news&user=ada", [0, 2]), ("channel=nobody", []), ("user=bob", []),
                ("channel=news&user=ada&path=/chat", [0]), ("path=/any/where", [4]),
            ]
            for row in rows {
                for limit in [1, 100] {
                    let found = try pages(of: "/v1/connections?\(row.query)&limit=\(limit)", server).joined()
                    let expected = row.paths.flatMap { clients[$0].map(\.id) }
                    #expect(found.compactMap { $0["id"]?.string }.sorted() == expected.sorted(), "\(row.query)")
                }
            }
        }
    }

    @Test("an invalid limit, cursor or channel is refused")
    func badParameters() throws {
        try withServer(scripts: AdminScripts.both) { server in
            for query in ["limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=", "limit=99999999999999999999"] {
                for list in ["connections", "channels"] {
                    let refused = try server.ask("GET", "/v1/\(list)?\(query)")
                    #expect(refused.status == 400 && refused.errorCode == "parameter_invalid", "\(list)?\(query)")
                }
            }
            for cursor in ["", "x", "2-0", "0-zzzzzzzz", "0-0-0", "-", "%00"] {
                let refused = try server.ask("GET", "/v1/connections?cursor=\(cursor)")
                #expect(refused.status == 400 && refused.errorCode == "parameter_invalid", "cursor=\(cursor)")
            }
            #expect(try server.ask("GET", "/v1/connections?cursor=1-1z141z3").json()["items"] == [])
            #expect(try server.ask("GET", "/v1/connections?channel=").errorCode == "channel_name_invalid")
        }
    }

    @Test("channels are listed in order with all subscribers, by prefix and page")
    func channels() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let clients = try Client.onBothWorkers(server, "/?channel=room:a&channel=room:b&channel=news")
            let one = try Client(server, "/?channel=room:c")
            let expected: [(String, Int)] = [
                ("news", clients.count), ("room:a", clients.count), ("room:b", clients.count), ("room:c", 1),
            ]
            for limit in [1, 3, 4, 100] {
                let found = try pages(of: "/v1/channels?limit=\(limit)", server)
                #expect(found.allSatisfy { $0.count <= limit })
                #expect(found.joined().map { $0["channel"]?.string } == expected.map(\.0))
                #expect(found.joined().map { $0["subscribers"]?.int } == expected.map(\.1))
            }
            let rooms = try pages(of: "/v1/channels?prefix=room%3A&limit=2", server)
            #expect(rooms.map(\.count) == [2, 1])
            #expect(try server.ask("GET", "/v1/channels?prefix=x").json() == ["items": [], "next": nil])
            try one.socket.close()
            try one.socket.expectClose()
            #expect(try server.ask("GET", "/v1/channels?prefix=room:c").json()["items"] == [])
        }
    }

    @Test("a cursor that no page has named is 400 and says so")
    func badCursor() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let paths = ["", "a%0Ab", String(repeating: "x", count: 256)].map {
                "/v1/channels?cursor=\($0)"
            }
            for path in paths
                + ["", "x", "0-", "-0", "0-0-0", "9-0", "0--1"].map({ "/v1/connections?cursor=\($0)" })
            {
                let answer = try server.ask("GET", path)
                #expect(answer.status == 400 && answer.errorCode == "parameter_invalid", "\(path)")
                #expect(answer.text.contains("cursor is the 'next' of the page before"))
            }
            #expect(try server.ask("GET", "/v1/channels?cursor=zz").status == 200)
        }
    }

    @Test("scripts are listed with route, hash, version, calls and errors")
    func scripts() throws {
        let failing = AdminScripts.main + "\nfunction onClose() error('no') end"
        try withServer(scripts: ["main.lua": AdminScripts.main, "games/chess.lua": failing]) { server in
            let clients = try Client.onBothWorkers(server, "/games/chess")
            try clients[0].socket.close()
            try clients[0].socket.expectClose()
            let list = try server.ask("GET", "/v1/scripts").json()
            #expect(list["version"] == 1 && list["next"] == .null && (list["loadedAt"]?.int ?? 0) > 1_700_000_000)
            let items = try #require(list["items"]?.array)
            #expect(items.map { $0["file"] } == ["games/chess.lua", "main.lua"])
            #expect(items.map { $0["name"] } == ["games/chess", "main"])
            #expect(items.map { $0["route"] } == ["/games/chess", "*"])
            #expect(items[0]["hash"] != items[1]["hash"])
            #expect(items[0]["handlers"]?["onOpen"]?["calls"]?.int == clients.count)
            #expect(items[0]["handlers"]?["onClose"] == ["calls": 1, "errors": 1])
            #expect(items[1]["handlers"]?["onOpen"] == ["calls": 0, "errors": 0])
        }
    }

    @Test("the node shows what runs and sums up the counters of all workers")
    func node() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let clients = try Client.onBothWorkers(server, "/?channel=a&channel=b")
            try clients[0].socket.send("hello")
            _ = try clients[0].socket.receiveText()
            let node = try server.ask("GET", "/v1/node").json()
            #expect(node["name"] == "perigee" && node["version"]?.string == PerigeeVersion.text)
            #expect(node["lua"]?.string?.hasPrefix("Lua 5.4") == true && node["workers"] == 2)
            #expect(node["connections"]?.int == clients.count && node["opened"]?.int == clients.count)
            let perWorker = try #require(node["connectionsPerWorker"]?.array?.map { $0.int ?? 0 })
            #expect(perWorker == (0...1).map { worker in clients.count { $0.worker == UInt8(worker) } })
            #expect(node["subscriptions"]?.int == 2 * clients.count && node["channels"] == 2)
            #expect(node["messagesIn"] == 1 && node["messagesOut"]?.int == clients.count + 1)
            #expect(node["scriptVersion"] == 1 && node["scriptErrors"] == 0 && node["complete"] == nil)
            #expect((node["memoryBytes"]?.int ?? 0) > 1 << 20 && (node["luaMemoryBytes"]?.int ?? 0) > 0)
            #expect(node["closes"]?.object?.isEmpty == false)
        }
    }

    @Test("a connection is found by path and by user however many others there are")
    func large() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.workers = 1 }) { server in
            // Sockets that have said nothing take places in the worker's table too.
            let silent = try (0..<4_500).map { _ in try server.dial() }
            let first = try server.connect("/chat?user=ada")
            let second = try server.connect("/chat?user=ada")
            let ids = try [first, second].map { try $0.receiveText() }
            for query in ["path=/chat", "user=ada", "path=/chat&user=ada"] {
                for limit in [1, 2, 3] {
                    let pages = try pages(of: "/v1/connections?\(query)&limit=\(limit)", server)
                    // In the order of their places, of which a silent socket that is given up may have freed one.
                    #expect(pages.joined().compactMap { $0["id"]?.string }.sorted() == ids.sorted())
                    #expect(pages.count <= 3)
                }
            }
            #expect(try server.ask("GET", "/v1/connections?user=eve").json()["items"]?.array?.isEmpty == true)
            #expect(silent.count == 4_500)
        }
    }

    /// All pages of a list, following `next`.
    private func pages(of path: String, _ server: TestServer) throws -> [[JSON]] {
        let admin = HTTPClient(port: server.adminPort, timeout: .seconds(20))
        var pages: [[JSON]] = []
        var next = path
        while true {
            let page = try admin.request("GET", next).json()
            pages.append(try #require(page["items"]?.array))
            guard let cursor = page["next"]?.string else { return pages }
            try #require(pages.count < 100, "the list does not end")
            next = path + "&cursor=" + cursor.replacing(":", with: "%3A")
        }
    }
}
