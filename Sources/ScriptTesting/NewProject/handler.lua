-- Serves the clients of this server. Edit and save: clients stay connected, and their next message meets the new code. Handlers
-- are named in perigee.d.lua; `perigee check` finds mistakes, `perigee test` runs tests/.
--
-- Try it:  websocat 'ws://127.0.0.1:8080/?name=Ada'
--          curl -d 'hello from a backend' http://127.0.0.1:9080/v1/channels/lobby/messages

function onOpen(conn)
    conn.data.name = conn.query.name or "somebody"
    conn:subscribe("lobby")
    conn:send { type = "welcome", text = config.welcome or "Hello!" }
end

function onMessage(conn, message, binary)
    if binary then
        return
    end
    server.publish("lobby", { type = "said", name = conn.data.name, text = message })
end
