local app = t.load "examples/chat"

local function enter(name, room)
    return app:connect { query = { room = room or "kitchen", name = name } }
end

t.test("a room gets arrivals, messages and departures of its own only", function()
    local ada, eve = enter "Ada", enter("Eve", "cellar")
    t.equal(ada:take().names, { "Ada" })
    local bob = enter "Bob"
    t.equal(bob:take(), { type = "welcome", id = bob.id, channels = { "chat:kitchen" }, names = { "Ada", "Bob" } })
    bob:send "hi"
    bob:close()
    t.equal(ada:takeAll(), {
        { type = "joined", name = "Bob" },
        { type = "said", name = "Bob", text = "hi" },
        { type = "left", name = "Bob" },
    })
    t.equal(#eve:takeAll(), 1)
    ada:close()
end)

t.test("a name is unique in its room until its holder leaves", function()
    local ada = enter "Ada"
    t.equal(enter("Ada").closed, { code = 4001, reason = "that name is taken in this room" })
    t.ok(enter("Ada", "cellar").isOpen)
    t.ok(ada.isOpen)
    ada:close()
    t.equal(enter("Ada"):take().names, { "Ada" })
end)

t.test("names and rooms that cannot be are refused", function()
    t.equal(enter("").closed.code, 4000)
    t.equal(enter("Ada", ("x"):rep(300)).closed.reason, "room: invalid channel name")
end)

t.test("a notice of a backend reaches the room", function()
    local ada = enter("Ada", "attic")
    ada:takeAll()
    app:push("chat:attic", { type = "notice", text = "the soup is ready" })
    t.equal(ada:takeAll(), { { type = "notice", text = "the soup is ready" } })
end)
