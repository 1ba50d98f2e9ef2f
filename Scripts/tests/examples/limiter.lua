local app = t.load "examples/limiter"

local function send(client, count)
    for i = 1, count do
        client:send("line " .. i)
    end
end

t.test("ten messages come back, those beyond are refused, and after the window all is well again", function()
    local client = app:connect { ip = "192.0.2.1" }
    send(client, 11)
    local answers = client:takeAll()
    t.equal(answers[10], "line 10")
    t.equal(answers[11], { type = "refused", why = "too many messages", limit = 10, seconds = 10 })
    app:advance(10)
    client:send "again"
    t.equal(client:take(), "again")
end)

t.test("all connections of an address count together, other addresses do not", function()
    local first, second = app:connect { ip = "192.0.2.2" }, app:connect { ip = "192.0.2.2" }
    send(first, 10)
    second:send "one more"
    t.equal(second:take().type, "refused")
    local other = app:connect { ip = "192.0.2.3" }
    other:send "hello"
    t.equal(other:take(), "hello")
end)

t.test("a client that does not stop is closed with 1008", function()
    local client = app:connect { ip = "192.0.2.4" }
    send(client, 21)
    t.equal(client.closed, { code = 1008, reason = "too many messages" })
end)
