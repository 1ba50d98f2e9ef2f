-- Members who are here, and those who are typing: presence that the script keeps itself.
--
-- Try it:  websocat 'ws://127.0.0.1:8080/examples/typing?user=Ada'
--          websocat 'ws://127.0.0.1:8080/examples/typing?user=Bob'
-- You will see the members, arrivals and departures. Send {"type":"typing"}: the others see it, and three seconds later that
-- you stopped. A user with two connections is here once.

local roster = require "roster"
local room = "typing"

local function tell(conn, event)
    event.user = conn.user
    server.publish(room, event, { except = conn })
end

local function stopTyping(conn)
    if conn.data.timer then
        server.cancel(conn.data.timer)
        conn.data.timer = nil
        tell(conn, { type = "idle" })
    end
end

function onUpgrade(request)
    if (request.query.user or "") == "" then
        return false, 400, "who are you? ?user=NAME\n"
    end
    return true
end

function onOpen(conn)
    conn:identify(conn.query.user)
    conn:subscribe(room)
    if roster.add(room, conn.user) == 1 then
        tell(conn, { type = "came" })
    end
    conn:send { type = "here", users = roster.names(room) }
end

function onMessage(conn, message)
    local event = json.decode(message)
    if type(event) ~= "table" or event.type ~= "typing" then
        conn:send { type = "refused", why = 'send {"type":"typing"}' }
        return
    end
    if conn.data.timer then
        server.cancel(conn.data.timer) -- still typing: the three seconds begin anew
    else
        tell(conn, { type = "typing" })
    end
    conn.data.timer = server.after(3, function()
        stopTyping(conn)
    end)
end

function onClose(conn)
    stopTyping(conn)
    if roster.remove(room, conn.user) == 0 then
        tell(conn, { type = "went" })
    end
end
