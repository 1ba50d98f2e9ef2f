// The script that most tests of reloading run, in versions that can be told apart.

/// Scripts for these tests.
enum ReloadScripts {
    /// Says its word, how many messages the connection has sent (from `conn.data`), and the version; subscribes to "news".
    static func saying(_ word: String) -> String {
        """
        function onOpen(conn)
            conn:subscribe("news")
            conn.data.count = 0
        end
        function onMessage(conn, message)
            conn.data.count = conn.data.count + 1
            conn:send("\(word) " .. conn.data.count .. " v" .. server.version .. " " .. message)
        end
        """
    }
}
