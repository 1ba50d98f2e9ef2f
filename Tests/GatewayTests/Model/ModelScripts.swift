// The scripts of the model test. Each says its name and its version with everything that it notes, and follows the client's
// query, the message, or the push: it waits so and so often, and then does one thing.

import Scripting

/// The orders of a handler: sleep so and so often, then one thing.
struct ModelProgram {
    /// Milliseconds of each sleep.
    var sleeps: [UInt64] = []
    var verb = ""
    var argument = ""

    var text: String { "\(sleeps.map { "\($0)" }.joined(separator: ","));\(verb);\(argument)" }
}

/// The scripts that are live, as the model knows them: which handlers each one has.
struct ModelGeneration {
    var version: UInt64
    var scripts: [String: Set<String>]

    static let handlers = [
        "onUpgrade", "onOpen", "onMessage", "onDrain", "onClose", "onPublish", "onRequest", "onStart", "onReload",
        "onStop",
    ]

    /// The script that serves those of `name` now.
    func serving(_ name: String) -> String? { scripts[name] != nil ? name : scripts["main"] != nil ? "main" : nil }

    /// The name of the script that serves `name` now, if it has this handler.
    func handler(_ handler: String, of name: String) -> String? {
        serving(name).flatMap { scripts[$0]!.contains(handler) ? $0 : nil }
    }

    /// The script of a path.
    func route(_ path: String) -> String? {
        let name = String(path.dropFirst())
        return name != "main" && scripts[name] != nil ? name : scripts["main"] != nil ? "main" : nil
    }

    /// The bundle, in which one script may be broken.
    func bundle(breaking broken: String? = nil) throws -> ScriptBundle {
        var sources: [String: String] = [:]
        for (name, handlers) in scripts {
            sources[name] = Self.source(name, version, handlers) + (name == broken ? "\nif" : "")
        }
        return try ScriptBundle(version: version, scripts: sources)
    }

    private static func source(_ name: String, _ version: UInt64, _ handlers: Set<String>) -> String {
        let defined = Self.handlers.filter { handlers.contains($0) }
        return library.replacing("%NAME%", with: name).replacing("%VERSION%", with: "\(version)")
            + "\nreturn { \(defined.map { "\($0) = all.\($0)" }.joined(separator: ", ")) }"
    }

    private static let library = #"""
        local NAME, VERSION = "%NAME%", %VERSION%
        local all = {}

        local function line(...) log.info(table.concat({...}, "|")) end

        -- All that a connection is, each time.
        local function note(conn, kind, what)
            conn.data.seq = (conn.data.seq or 0) + 1
            local channels = conn:channels()
            table.sort(channels)
            line("c", kind, NAME, VERSION, conn.query.n or "nil", what, conn.data.seq, conn.id or "nil",
                conn.path or "nil", conn.ip or "nil", conn.user or "nil", table.concat(channels, ","))
        end

        local function sleeps(text, noted)
            for ms in text:gmatch("%d+") do
                local ok, why = server.sleep(tonumber(ms) / 1000)
                noted(ok and "done" or why)
            end
        end

        local function alone(kind, token, text)
            line("a", kind, NAME, VERSION, token, "begins")
            sleeps(text, function(why) line("a", kind, NAME, VERSION, token, why) end)
        end

        local function run(conn, kind, program)
            local text, verb, argument = program:match("^([^;]*);([^;]*);(.*)$")
            sleeps(text, function(why) note(conn, kind, why) end)
            if verb == "close" then conn:close(4000, "bye")
            elseif verb == "code" then error { code = 4001, reason = "code" }
            elseif verb == "fail" then error("told to")
            elseif verb == "user" then conn:identify(argument)
            elseif verb == "join" then conn:subscribe(argument)
            elseif verb == "leave" then conn:unsubscribe(argument)
            elseif verb == "kick" then server.disconnect(argument, 4002, "kick")
            elseif verb == "spawn" or verb == "after" then
                local token, delay, rest = argument:match("^(%d+),(%d+)(.*)$")
                if verb == "spawn" then server.spawn(alone, "spawn", token, rest)
                else server.after(tonumber(delay) / 1000, function() alone("timer", token, rest) end) end
            elseif verb == "flood" then
                for _ = 1, 30 do conn:send(string.rep("x", 60000)) end
            end
        end

        function all.onUpgrade(request)
            local n = request.query.n
            local text, verb = request.query.up:match("^([^;]*);([^;]*);")
            line("u", "upgrade", NAME, VERSION, n, "begins")
            sleeps(text, function(why) line("u", "upgrade", NAME, VERSION, n, why) end)
            if verb == "refuse" then return false, 401, "no"
            elseif verb == "nope" then return { subprotocol = "nope" }
            elseif verb == "number" then return 1
            elseif verb == "fail" then error("told to")
            elseif verb == "data" then return { made = VERSION } end
            return true
        end
        function all.onOpen(conn) note(conn, "open", "begins") run(conn, "open", conn.query.open) end
        function all.onMessage(conn, message)
            local number, program = message:match("^(%d+) (.*)$")
            note(conn, "message", number)
            run(conn, "message", program)
        end
        function all.onDrain(conn) note(conn, "drain", "begins") run(conn, "drain", conn.query.drain) end
        function all.onClose(conn, code) note(conn, "close", code) run(conn, "close", conn.query.close) end

        local function question(kind, data)
            local token, text, verb = data:match("^(%d+) ([^;]*);([^;]*);")
            line("q", kind, NAME, VERSION, token, "begins")
            sleeps(text, function(why) line("q", kind, NAME, VERSION, token, why) end)
            if verb == "fail" then error("told to") end
        end
        function all.onPublish(publication) question("publish", publication.data) return true end
        function all.onRequest(request) question("request", request.body) return 200, "ok" end

        function all.onStart() line("l", "start", NAME, VERSION) end
        function all.onReload()
            line("l", "reload", NAME, VERSION)
            if VERSION % 3 == 0 then
                server.sleep(0.02)
                line("l", "reloaded", NAME, VERSION)
            end
        end
        function all.onStop() line("l", "stop", NAME, VERSION) end
        """#
}
