local app = t.load "examples/typing"

local function enter(user)
    return app:connect { query = { user = user } }
end

t.test("the others see who comes and goes; a user with two connections is here once", function()
    local ada = enter "Ada"
    t.equal(ada:take(), { type = "here", users = { "Ada" } })
    local bob, second = enter "Bob", enter "Bob"
    t.equal(second:take(), { type = "here", users = { "Ada", "Bob" } })
    bob:close()
    second:close(1001)
    t.equal(ada:takeAll(), { { type = "came", user = "Bob" }, { type = "went", user = "Bob" } })
    ada:close()
end)

t.test("typing is seen once, and is over three seconds after the last key", function()
    local ada, bob = enter "Ada", enter "Bob"
    ada:takeAll()
    bob:send { type = "typing" }
    app:advance(2)
    bob:send { type = "typing" }
    app:advance(2.9)
    t.equal(ada:takeAll(), { { type = "typing", user = "Bob" } })
    app:advance(0.1)
    t.equal(ada:takeAll(), { { type = "idle", user = "Bob" } })
    bob:send { type = "typing" }
    bob:close()
    t.equal(#ada:takeAll(), 3)
    ada:close()
end)

t.test("a user without a name, and a message that is none", function()
    t.equal({ app:connect() }, { nil, 400, "who are you? ?user=NAME\n" })
    local ada = enter "Ada"
    ada:take()
    ada:send "hello"
    t.equal(ada:take().type, "refused")
end)
