-- The table `t` of test files. `call` asks the host, which answers with strings; `fail` raises with the test file's line;
-- `place` says which line that is.

local call, fail, place = ...
local t, App, Client = {}, {}, {}

-- Values as text, and how two of them differ

local function keyOrder(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
        return a < b
    end
    return type(a) < type(b)
end

local function sortedKeys(...)
    local seen, keys = {}, {}
    for _, each in ipairs { ... } do
        for key in pairs(each) do
            if not seen[key] then
                seen[key] = true
                keys[#keys + 1] = key
            end
        end
    end
    table.sort(keys, keyOrder)
    return keys
end

local function isName(key)
    return type(key) == "string" and key:find("^[%a_][%w_]*$") ~= nil
end

local function show(value, depth)
    depth = depth or 0
    if type(value) == "string" then
        return (("%q"):format(value):gsub("\\\n", "\\n"))
    elseif type(value) ~= "table" then
        return tostring(value)
    elseif depth > 8 then
        return "{…}"
    end
    local parts, nextIndex = {}, 1
    for _, key in ipairs(sortedKeys(value)) do
        local text = show(value[key], depth + 1)
        if key == nextIndex then
            nextIndex = nextIndex + 1
        elseif isName(key) then
            text = key .. " = " .. text
        else
            text = "[" .. show(key) .. "] = " .. text
        end
        parts[#parts + 1] = text
    end
    return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

local function compare(actual, expected, path, lines, depth)
    if rawequal(actual, expected) or actual == expected then
        return
    elseif type(actual) ~= "table" or type(expected) ~= "table" or depth > 50 then
        local where = path == "" and "" or path .. ": "
        lines[#lines + 1] = where .. "expected " .. show(expected) .. ", got " .. show(actual)
        return
    end
    for _, key in ipairs(sortedKeys(expected, actual)) do
        local step = isName(key) and "." .. key or "[" .. show(key) .. "]"
        compare(actual[key], expected[key], path .. step, lines, depth + 1)
    end
end

-- Assertions

function t.equal(actual, expected, what)
    local lines = {}
    compare(actual, expected, "", lines, 0)
    if #lines > 0 then
        local head = what and what .. ": " or ""
        if type(actual) == "table" and type(expected) == "table" then
            lines[#lines + 1] = "got " .. show(actual)
        end
        fail(head .. table.concat(lines, "\n"))
    end
end

function t.ok(value, what)
    if not value then
        fail((what and what .. ": " or "") .. "expected something true, got " .. tostring(value))
    end
    return value
end

function t.fails(f, pattern)
    local done, err = pcall(f)
    if done then
        fail("expected an error, and there was none")
    end
    local text = type(err) == "table" and show(err) or tostring(err)
    if pattern and not text:find(pattern) then
        fail(("expected an error that matches %q, got %q"):format(pattern, text))
    end
    return err
end

function t.test(name, f)
    local where = place()
    if call("begin", name) == "skip" then
        return
    end
    local done, err = pcall(f)
    local unexpected = call("unexpected")
    if not done then
        call("end", name, where, "fail", type(err) == "table" and show(err) or tostring(err))
    elseif unexpected then
        call("end", name, where, "fail", where .. ": " .. unexpected)
    else
        call("end", name, where, "ok")
    end
end

-- Scripts under test

local function isTable(value, what)
    if value ~= nil and type(value) ~= "table" then
        fail(what .. " must be a table, not " .. type(value))
    end
    return value or {}
end

local function checkOptions(options, names, what)
    for name in pairs(isTable(options, what)) do
        if not names[name] then
            fail(what .. " has no option '" .. tostring(name) .. "'")
        end
    end
    return options or {}
end

local function payload(value)
    if type(value) == "table" then
        return json.encode(value)
    elseif type(value) ~= "string" and type(value) ~= "number" then
        fail("expected a string, a number or a table, not " .. type(value))
    end
    return tostring(value)
end

local function received(kind, bytes)
    if not kind then
        return nil
    end
    if kind == "text" and bytes:find("^%s*[{%[]") then
        local value = json.decode(bytes)
        if value ~= nil then
            return value, false
        end
    end
    return bytes, kind == "binary"
end

local kvMethods = {}

local function fromKeyValue(kind, text)
    if kind == "number" then
        return math.tointeger(text) or tonumber(text)
    elseif kind == "boolean" then
        return text == "true"
    end
    return text
end

function kvMethods.get(app, key)
    return fromKeyValue(call("kvGet", app, key))
end

function kvMethods.set(app, key, value)
    local kind = math.type(value) or type(value)
    call("kvSet", app, key, kind, tostring(value))
end

function kvMethods.delete(app, key)
    return call("kvSet", app, key, "nil", "") == "true"
end

-- t.load "chat", t.load("chat", { settings = { … } }), t.load({ "chat", "main" })
function t.load(names, options)
    options = checkOptions(options, { settings = true }, "t.load")
    names = type(names) == "table" and names or { names }
    local id = call("load", options.settings and json.encode(options.settings) or "", table.unpack(names))
    local kv = {}
    for name, method in pairs(kvMethods) do
        kv[name] = function(...)
            return method(id, ...)
        end
    end
    return setmetatable({ id = id, kv = kv }, App)
end

local function metricsOf(app)
    local words, metrics = { call("metrics", app) }, {}
    for index = 1, #words, 3 do
        local count = tonumber(words[index + 2])
        local sum = tonumber(words[index + 1])
        metrics[words[index]] = count and { sum = sum, count = count } or sum
    end
    return metrics
end

function App.__index(app, key)
    if key == "metrics" then
        return metricsOf(app.id)
    elseif App[key] then
        return App[key]
    end
    fail("an app has no field '" .. tostring(key) .. "'")
end

local connectOptions = {
    path = true, ip = true, user = true, query = true, headers = true, cookies = true, subprotocols = true,
}

local function pairsOf(list, kind, values)
    for _, name in ipairs(sortedKeys(isTable(values, kind))) do
        local value = values[name]
        for _, each in ipairs(type(value) == "table" and value or { value }) do
            list[#list + 1] = kind
            list[#list + 1] = tostring(name)
            list[#list + 1] = tostring(each)
        end
    end
end

-- A client, or nil, status, body when onUpgrade refused it.
function App:connect(options)
    options = checkOptions(options, connectOptions, "app:connect")
    local list = {}
    for _, name in ipairs { "path", "ip", "user" } do
        if options[name] then
            list[#list + 1], list[#list + 2], list[#list + 3] = name, "", tostring(options[name])
        end
    end
    pairsOf(list, "query", options.query)
    pairsOf(list, "header", options.headers)
    pairsOf(list, "cookie", options.cookies)
    for _, name in ipairs(isTable(options.subprotocols, "subprotocols")) do
        list[#list + 1], list[#list + 2], list[#list + 3] = "subprotocol", "", name
    end
    local number, status, body = call("connect", self.id, table.unpack(list))
    if number == "" then
        return nil, math.tointeger(status), body
    end
    return setmetatable({ app = self.id, number = number }, Client)
end

function App:advance(seconds)
    call("advance", self.id, seconds)
end

local function answerOf(kind, status, body, mediaType, ...)
    if kind == "proceed" then
        return true
    elseif kind == "refused" or kind == "failed" then
        return false, status
    elseif kind ~= "response" then
        return nil, kind
    end
    local words, headers = { ... }, {}
    for index = 1, #words, 2 do
        headers[words[index]] = words[index + 1]
    end
    local value = mediaType == "application/json" and json.decode(body)
    return math.tointeger(status), value or body, headers
end

-- As a backend publishes: true, or false and why onPublish refused; nil, "waiting" when that waits.
function App:push(channel, value, options)
    options = checkOptions(options, { key = true, binary = true }, "app:push")
    local binary = tostring(options.binary or false)
    local done, why = answerOf(call("push", self.id, channel, payload(value), options.key or "", binary))
    if why == "absent" then
        return true
    end
    return done, why
end

-- As a backend calls: the answer of onRequest, status, body and headers; nil, "waiting" when it waits.
function App:call(name, request)
    request = checkOptions(request, { method = true, query = true, headers = true, body = true }, "app:call")
    local list = {}
    pairsOf(list, "query", request.query)
    pairsOf(list, "header", request.headers)
    local body = request.body and payload(request.body) or ""
    return answerOf(call("call", self.id, name, request.method or "POST", body, table.unpack(list)))
end

-- The answer of a push, a call or a subscription whose handler has waited.
function App:takeAnswer()
    return answerOf(call("reply", self.id))
end

-- As a client protocol subscribes: true, or false and why onSubscribe refused.
function App:subscribe(client, channel)
    return answerOf(call("subscribe", self.id, client.number, channel))
end

local replyOptions = {
    url = true, method = true, status = true, headers = true, body = true, error = true, delay = true,
}

-- Answers one request of the scripts: the first that fits, now or when it comes.
function App:httpReply(reply)
    checkOptions(reply, replyOptions, "app:httpReply")
    local list = {}
    pairsOf(list, "header", reply.headers)
    local body = type(reply.body) == "table" and json.encode(reply.body) or reply.body or ""
    call(
        "httpReply", self.id, reply.url or "", reply.method or "", reply.status or 200, body, reply.error or "",
        reply.delay or 0, table.unpack(list)
    )
end

-- The requests that scripts have made since the last call: { method =, url =, query =, headers =, body = } each.
function App:httpRequests()
    local words, requests = { call("httpRequests", self.id) }, {}
    local index = 1
    while words[index] do
        local request = { method = words[index], url = words[index + 1], body = words[index + 2] }
        local counts = { query = math.tointeger(words[index + 3]), headers = math.tointeger(words[index + 4]) }
        index = index + 5
        for _, name in ipairs { "query", "headers" } do
            request[name] = {}
            for _ = 1, counts[name] do
                request[name][words[index]] = words[index + 1]
                index = index + 2
            end
        end
        requests[#requests + 1] = request
    end
    return requests
end

-- The new version, or nil and the mistakes. `files` maps names of scripts and modules to their new text.
function App:reload(files)
    local list = {}
    for _, name in ipairs(sortedKeys(isTable(files, "files"))) do
        list[#list + 1], list[#list + 2] = name, files[name]
    end
    local version, why = call("reload", self.id, table.unpack(list))
    return math.tointeger(version), why
end

-- The log entries of the scripts since the last call: { level = "info", message = "…", fields = { … } } each.
function App:logs()
    local words, logs = { call("logs", self.id) }, {}
    local index = 1
    while words[index] do
        local entry = { level = words[index], message = words[index + 1], fields = {} }
        local fieldCount = math.tointeger(words[index + 2])
        index = index + 3
        for _ = 1, fieldCount do
            entry.fields[words[index]] = words[index + 1]
            index = index + 2
        end
        logs[#logs + 1] = entry
    end
    return logs
end

-- The first error that a script raised and nobody has taken: a test in which one is left fails.
function App:takeError()
    return call("takeError", self.id)
end

-- Runs onStop.
function App:stop()
    call("stop", self.id)
end

-- Clients

local clientFields = {
    isOpen = function(open)
        return open == "true"
    end,
    user = function(user)
        return user
    end,
    id = function(id)
        return id
    end,
    subprotocol = function(name)
        return name
    end,
    channels = function(...)
        return { ... }
    end,
    closed = function(code, reason)
        return code and { code = math.tointeger(code), reason = reason }
    end,
    refused = function(status, body)
        return status and { status = math.tointeger(status), body = body }
    end,
}

function Client.__index(client, key)
    if Client[key] then
        return Client[key]
    elseif clientFields[key] then
        return clientFields[key](call("client", rawget(client, "app"), rawget(client, "number"), key))
    end
    fail("a client has no field '" .. tostring(key) .. "'")
end

function Client:send(value)
    call("message", self.app, self.number, "text", payload(value))
end

function Client:sendBinary(bytes)
    call("message", self.app, self.number, "binary", bytes)
end

-- The next message: a table when it is JSON, else its text, and true if it was binary; nil when there is none.
function Client:take()
    return received(call("take", self.app, self.number))
end

function Client:takeAll()
    local all = {}
    for message in self.take, self do
        all[#all + 1] = message
    end
    return all
end

function Client:close(code, reason)
    call("close", self.app, self.number, code or 1000, reason or "")
end

-- A slow client has its queue full: conn:send answers false, "slow". When it is no longer slow, onDrain runs.
function Client:setSlow(isSlow)
    call("slow", self.app, self.number, tostring(isSlow))
end

return t
