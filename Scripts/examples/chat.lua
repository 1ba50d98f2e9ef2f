-- Chat rooms: channels as rooms, names that are unique in a room, and a list of names shared by all workers in kv.
--
-- Try it:  websocat 'ws://127.0.0.1:8080/examples/chat?room=kitchen&name=Ada'
--          websocat 'ws://127.0.0.1:8080/examples/chat?room=kitchen&name=Bob'
--          curl -d '{"type":"notice","text":"the soup is ready"}' http://127.0.0.1:9080/v1/channels/chat:kitchen/messages
-- You will see who is there, who comes and goes, and what each one says, as JSON; the notice reaches both.
-- A name that is taken closes with 4001; type a line to say it.

-- Lets `change` edit the set of names in a room, and once more when another worker has edited it meanwhile.
local function editNames(room, change)
    local key = "chat names " .. room
    for _ = 1, 100 do
        local before = kv.get(key)
        local names = before and json.decode(before) or {}
        local result = change(names)
        if kv.swap(key, before, next(names) and json.encode(names) or nil) then
            return result, names
        end
    end
    error("the names of a room cannot be changed; is kv full?")
end

local function enter(room, name)
    return editNames(room, function(names)
        local isFree = not names[name]
        names[name] = true
        return isFree
    end)
end

local function leave(room, name)
    editNames(room, function(names)
        names[name] = nil
    end)
end

local function tell(conn, event)
    event.name = conn.data.name
    server.publish("chat:" .. conn.data.room, event, { except = conn })
end

function onOpen(conn)
    local query = conn.query
    local room = query.room or "lobby"
    local name = query.name or "guest " .. conn.id:sub(-6)
    if name == "" or #name > 64 or not utf8.len(name) then
        error { code = 4000, reason = "a name has 1 to 64 bytes of UTF-8" }
    end
    local done, why = conn:subscribe("chat:" .. room)
    if not done then
        error { code = 4000, reason = "room: " .. why }
    end
    local isFree, names = enter(room, name)
    if not isFree then
        error { code = 4001, reason = "that name is taken in this room" }
    end
    conn.data = { room = room, name = name }
    local list = {}
    for each in pairs(names) do
        list[#list + 1] = each
    end
    table.sort(list)
    conn:send { type = "welcome", id = conn.id, channels = conn:channels(), names = list }
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
        leave(conn.data.room, conn.data.name)
        tell(conn, { type = "left" })
    end
end
