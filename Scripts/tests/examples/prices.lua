local function start()
    local app = t.load("examples/prices", { settings = { backend = "http://backend" } })
    return app, app:connect()
end

t.test("a price is asked for once, and kept for a minute for all clients", function()
    local app, client = start()
    app:httpReply { url = "http://backend/prices/tea", status = 200, body = { price = 3.2 } }
    client:send "tea"
    t.equal(client:take(), { type = "price", product = "tea", price = 3.2, from = "backend" })
    local other = app:connect()
    other:send "tea"
    t.equal(other:take(), { type = "price", product = "tea", price = 3.2, from = "cache" })
    t.equal(#app:httpRequests(), 1)
    app:advance(60)
    app:httpReply { status = 200, body = { price = 4 } }
    client:send "tea"
    t.equal(client:take().price, 4)
end)

t.test("a backend that stumbles is asked again, a little later each time", function()
    local app, client = start()
    app:httpReply { status = 503 }
    app:httpReply { error = "timeout" }
    app:httpReply { status = 200, body = { price = 1 } }
    client:send "tea"
    app:advance(0.2)
    t.equal(client:take(), nil)
    app:advance(0.4)
    t.equal(client:take().price, 1)
    t.equal(#app:logs(), 2)
end)

t.test("a waiting client delays no other and gets the reason after three attempts", function()
    local app, client = start()
    client:send "tea"
    local other = app:connect()
    other:send "not a product!"
    t.equal(other:take().type, "refused")
    app:advance(2) -- the request's timeout
    app:httpReply { status = 500 }
    app:httpReply { status = 502 }
    app:advance(1)
    t.equal(client:take(), { type = "unknown", product = "tea", why = "status 502" })
end)

t.test("a product that the backend does not know", function()
    local app, client = start()
    app:httpReply { status = 404, body = "no" }
    client:send "gold"
    t.equal(client:take(), { type = "unknown", product = "gold", why = "no such product" })
    t.equal(app:httpRequests()[1].url, "http://backend/prices/gold")
end)
