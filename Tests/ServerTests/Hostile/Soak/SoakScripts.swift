// The scripts that the soak runs and reloads.

enum SoakScripts {
    /// A version of the scripts that says a word of its own.
    static func all(word: String) -> [String: String] {
        ["main.lua": main(word: word), "echo.lua": "function onMessage(conn, m, binary) conn:send(m, binary) end"]
    }

    /// Subscribes everybody to a channel that carries much, keeps some state, and fails on purpose now and then.
    static func main(word: String) -> String {
        """
        server.every("tick", 0.05, function() server.publish("ticks", "\(word)") end)
        function onOpen(conn)
            conn.data.count = 0
            conn:subscribe("news")
            conn:subscribe("ticks")
            conn:identify("user " .. #conn.id % 7)
        end
        function onMessage(conn, message, binary)
            conn.data.count = conn.data.count + 1
            kv.set("last", message:sub(1, 100), {ttl = 1})
            local value = json.decode(message)
            if type(value) == "table" then error("told to fail") end
            server.publish("news", message, {except = conn})
            conn:send("\(word) " .. conn.data.count)
        end
        function onClose(conn, code) server.publish("news", "left " .. code) end
        """
    }

    /// A script that must not be loaded.
    static let broken = ["function onOpen(", "error('not today')", "while true do end", "\u{1B}Lua"]
}
