// What one event costs, with the watchdog and without.

struct EventCosts {
    private static let realistic = """
        local scores = {}
        function onMessage(conn, message)
            local m = json.decode(message)
            if not m then return conn:close(1003, "JSON, please") end
            local data = conn.data
            data.count = (data.count or 0) + 1
            scores[m.user] = (scores[m.user] or 0) + m.points
            if m.text and #m.text > 0 then
                server.publish("room:" .. m.room, { user = m.user, text = m.text:gsub("%s+", " "), score = scores[m.user] })
            end
            conn:send({ ok = true, n = data.count })
        end
        """
    private static let json = #"{"user":"ada","room":"lobby","points":3,"text":"hello  there, how   are you?"}"#

    private static let object = """
        {"type":"message","room":"lobby","user":"ada","id":123456789,"text":"hello there, how are you doing today? \
        I am fine, thanks for asking","ok":true,"tags":["a","b","c"],"pos":{"x":12,"y":-7},"n":null}
        """

    private static let kinds: [(name: String, source: String, message: String)] = [
        ("empty handler", "function onMessage() end", "x"),
        (
            "send: echo of 64 bytes", "function onMessage(conn, m) conn:send(m) end",
            String(repeating: "x", count: 64)
        ),
        ("realistic: JSON, data, publish a table, send", realistic, json),
        (
            "json.decode of a 199-byte object",
            "function onMessage(conn, m) local v = json.decode(m) end", object
        ),
        (
            "json.encode of the same",
            "local v function onMessage(conn, m) v = v or json.decode(m) local s = json.encode(v) end", object
        ),
        ("a loop of 1,000 steps", "function onMessage() local n = 0 for i = 1, 1000 do n = n + i end end", "x"),
    ]

    let rounds: Int

    func report() throws {
        print("an event through Lua, ns (watchdog on / off)")
        for kind in Self.kinds {
            let on = try cost(kind.source, kind.message, isWatched: true)
            let off = try cost(kind.source, kind.message, isWatched: false)
            reportLine(kind.name, "\(on.short) / \(off.short)")
        }
    }

    private func cost(_ source: String, _ message: String, isWatched: Bool) throws -> Double {
        let bench = try BenchEngine(source, message: message, isWatched: isWatched)
        try bench.open(0)
        for _ in 0..<10_000 { try bench.message() }
        return try leastNanoseconds(rounds: rounds, count: 100_000) { _ in try bench.message() }
    }
}
