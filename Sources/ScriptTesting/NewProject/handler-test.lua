local app = t.load("main", { settings = { welcome = "Hi!" } })

t.test("everybody in the lobby hears what one says", function()
    local ada, bob = app:connect { query = { name = "Ada" } }, app:connect()
    t.equal(ada:take(), { type = "welcome", text = "Hi!" })
    t.equal(bob:take(), { type = "welcome", text = "Hi!" })
    ada:send "good morning"
    t.equal(ada:take(), { type = "said", name = "Ada", text = "good morning" })
    t.equal(bob:take(), { type = "said", name = "Ada", text = "good morning" })
end)

t.test("a backend's push reaches the lobby", function()
    local ada = app:connect()
    ada:take()
    app:push("lobby", "hello from a backend")
    t.equal(ada:take(), "hello from a backend")
end)
