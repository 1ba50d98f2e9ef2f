local app = t.load("examples/desk", { settings = { deskKey = "s3cret" } })

t.test("a question reaches the operator, and the answer that one client", function()
    local operator = app:connect { query = { operator = "s3cret" } }
    local client, other = app:connect(), app:connect()
    for _, each in ipairs { operator, client, other } do
        t.equal(each:take().type, "welcome")
    end
    client:send "Are you open?"
    t.equal(client:take(), { type = "asked", text = "Are you open?" })
    t.equal(operator:take(), { type = "question", from = client.id, text = "Are you open?" })
    operator:send { to = client.id, text = "Until six." }
    t.equal(operator:take(), { type = "delivered", to = client.id })
    t.equal(client:take(), "Until six.")
    t.equal(other:take(), nil)
end)

t.test("a wrong key is no key, and a client that is gone cannot be answered", function()
    t.equal(app:connect({ query = { operator = "guess" } }).closed, { code = 4003, reason = "wrong operator key" })
    local operator = app:connect { query = { operator = "s3cret" } }
    operator:take()
    operator:send { to = "nobody", text = "x" }
    t.equal(operator:take(), { type = "refused", to = "nobody", why = "not found" })
    operator:send "not JSON"
    t.equal(operator:take().type, "refused")
end)
