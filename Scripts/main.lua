-- Serves clients that connect to /, or to any path without a script of its own.
-- Edit this file and save it: clients stay connected, and their next message meets the new code.
-- Try it on the demo page, or:  websocat 'ws://127.0.0.1:8080/?channel=news&channel=sport'

-- A client has connected. Give the welcome another field, save, and connect once more to see it.
function onOpen(conn)
    local query = conn.query
    if not query.channel then
        conn:subscribe("lobby")
    end
    for _, parameter in ipairs(query) do
        if parameter.name == "channel" then
            local done, why = conn:subscribe(parameter.value)
            if not done then
                conn:send("a channel you named was refused: " .. why)
            end
        end
    end
    conn:send { type = "welcome", id = conn.id, channels = conn:channels(), version = server.version }
end

-- A client has said something. Change the words of the answer, save, and say something again.
function onMessage(conn, message, binary)
    if binary then
        message = #message .. " bytes"
    end
    conn:send("you said: " .. message)
    for _, channel in ipairs(conn:channels()) do
        server.publish(channel, "someone said: " .. message, { except = conn })
    end
end

-- A client has gone. Publish something to a channel here, and those who stay hear of it.
function onClose(conn, code, reason)
    log.debug("a client has gone", { id = conn.id, code = code, reason = reason })
end
