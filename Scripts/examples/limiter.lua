-- A rate limiter: each address may send 10 messages in 10 seconds, over all its connections and all workers.
--
-- Try it:  yes hello | head -30 | websocat 'ws://127.0.0.1:8080/examples/limiter'
-- You will see ten lines come back, then when to try again; a client that goes on is closed with 1008.

local limit, window = 10, 10 -- messages, seconds

-- Counts one message. kv forgets the count when the window is over, because the lifetime is that of its first message.
local function count(address)
    return kv.incr("limiter " .. address, 1, window)
end

function onMessage(conn, message, binary)
    local used = count(conn.ip)
    if used > 2 * limit then
        error { code = 1008, reason = "too many messages" }
    elseif used > limit then
        conn:send { type = "refused", why = "too many messages", limit = limit, seconds = window }
    else
        conn:send(message, binary)
    end
end
