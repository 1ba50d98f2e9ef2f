local app = t.load "main"

t.test("a client is welcomed to the lobby, or to the channels that it names", function()
    local client = app:connect()
    t.equal(client:take(), { type = "welcome", id = client.id, channels = { "lobby" }, version = 1 })
    t.equal(app:connect({ query = { channel = { "news", "sport" } } }).channels, { "news", "sport" })
end)

t.test("a message is answered and told to the others on its channels", function()
    local ada, bob, eve = app:connect(), app:connect(), app:connect { query = { channel = "elsewhere" } }
    for _, client in ipairs { ada, bob, eve } do
        client:take()
    end
    ada:send "hello"
    t.equal(ada:takeAll(), { "you said: hello" })
    t.equal(bob:takeAll(), { "someone said: hello" })
    ada:sendBinary "\255\0"
    t.equal(ada:take(), "you said: 2 bytes")
    t.equal(eve:take(), nil)
end)
