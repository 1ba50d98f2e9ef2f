// The scripts that most tests of the admin API run.

/// Scripts for these tests.
enum AdminScripts {
    /// Tells a client its id, does as its query says (`channel`, `user`), and echoes.
    static let main = """
        function onOpen(conn)
            for _, pair in ipairs(conn.query) do
                if pair.name == "channel" then conn:subscribe(pair.value) end
                if pair.name == "user" then conn:identify(pair.value) end
            end
            conn:send(conn.id)
        end
        function onMessage(conn, message) conn:send(message) end
        """

    /// `main`, and the same for the path /chat.
    static let both = ["main.lua": main, "chat.lua": main]
}
