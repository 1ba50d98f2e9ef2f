-- Chat rooms: a channel for each room, and names that are unique in it.
--
-- Try it:  websocat 'ws://127.0.0.1:8080/examples/chat?room=kitchen&name=Ada'
--          websocat 'ws://127.0.0.1:8080/examples/chat?room=kitchen&name=Bob'
--          curl -d '{"type":"notice","text":"the soup is ready"}' http://127.0.0.1:9080/v1/channels/chat:kitchen/messages
-- You will see the members, arrivals, departures and messages as JSON; the notice reaches both. A name that is taken closes
-- with 4001; type a line to say it.

local roster = require "roster"

local function tell(conn, event)
    event.name = conn.data.name
    server.publish("chat:" .. conn.data.room, event, { except = conn })
end

function onOpen(conn)
    local room = conn.query.room or "lobby"
    local name = conn.query.name or "guest " .. conn.id:sub(-6)
    if name == "" or #name > 64 or not utf8.len(name) then
        error { code = 4000, reason = "a name has 1 to 64 bytes of UTF-8" }
    end
    local done, why = conn:subscribe("chat:" .. room)
    if not done then
        error { code = 4000, reason = "room: " .. why }
    end
    if roster.add(room, name) > 1 then
        roster.remove(room, name)
        error { code = 4001, reason = "that name is taken in this room" }
    end
    conn.data = { room = room, name = name } -- onClose gives the name back
    conn:send { type = "welcome", id = conn.id, channels = conn:channels(), names = roster.names(room) }
    tell(conn, { type = "joined" })
end

function onMessage(conn, message, binary)
    if binary then
        conn:send { type = "refused", why = "text only" }
    else
        conn:send { type = "said", name = conn.data.name, text = message }
        tell(conn, { type = "said", text = message })
    end
end

function onClose(conn)
    if conn.data.name then
        roster.remove(conn.data.room, conn.data.name)
        tell(conn, { type = "left" })
    end
end
