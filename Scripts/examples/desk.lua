-- An operator's desk: clients ask, a person answers each one, from a terminal or over a WebSocket.
--
-- Try it:  websocat ws://127.0.0.1:8080/examples/desk                       and type a question;
--          its connection id is in the server's log, then answer:
--          curl -d 'Yes, until six.' http://127.0.0.1:9080/v1/connections/ID/messages
-- Or be the operator with the key that the configuration has under scripts.settings.deskKey:
--          websocat 'ws://127.0.0.1:8080/examples/desk?operator=KEY'
-- You will see {"type":"question","from":ID,"text":…}; type {"to":"ID","text":"Yes, until six."} and that one client has it.
-- main.lua lets anybody subscribe to any channel, to `desk` too: change it before questions are private.

function onOpen(conn)
    local key = conn.query.operator
    if not key then
        conn:send { type = "welcome", id = conn.id, text = "Ask, and a person will answer." }
        return
    end
    if key ~= config.deskKey then
        error { code = 4003, reason = "wrong operator key" }
    end
    conn.data.isOperator = true
    conn:subscribe("desk")
    conn:send { type = "welcome", id = conn.id, text = 'Answer with {"to":"ID","text":"…"}.' }
end

local function answer(operator, message)
    local reply = json.decode(message)
    if type(reply) ~= "table" or type(reply.to) ~= "string" or type(reply.text) ~= "string" then
        operator:send { type = "refused", why = 'an answer is {"to":"ID","text":"…"}' }
        return
    end
    local done, why = server.send(reply.to, reply.text)
    operator:send { type = done and "delivered" or "refused", to = reply.to, why = why }
end

function onMessage(conn, message, binary)
    if binary then
        conn:send { type = "refused", why = "text only" }
    elseif conn.data.isOperator then
        answer(conn, message)
    else
        log.info("a question at the desk", { from = conn.id, text = message })
        server.publish("desk", { type = "question", from = conn.id, text = message })
        conn:send { type = "asked", text = message }
    end
end
