local key = ("k"):rep(32)
local app = t.load("examples/auth", { settings = { authKey = key } })

local function token(claims, with)
    return jwt.sign(claims, with or key, { alg = "HS256", expiresIn = 3600 })
end

local function enter(claims)
    local client = t.ok(app:connect { query = { token = token(claims) } })
    t.equal(client:take(), { type = "welcome", user = claims.sub })
    return client
end

t.test("a token says who the client is", function()
    t.equal(enter({ sub = "ada" }).user, "ada")
end)

t.test("a missing, foreign or nameless token is refused", function()
    t.equal({ app:connect() }, { nil, 401, "token: missing\n" })
    local forged = token({ sub = "ada" }, ("x"):rep(32))
    local client, status = app:connect { query = { token = forged } }
    t.equal({ client, status }, { nil, 401 })
    t.equal({ app:connect { query = { token = token { name = "ada" } } } }, { nil, 401, "token: names nobody\n" })
end)

t.test("a private channel opens to a token that names it", function()
    local ada, bob = enter { sub = "ada", channels = { "private:ops" } }, enter { sub = "bob" }
    for _, client in ipairs { ada, bob } do
        client:send { subscribe = "private:ops" }
    end
    t.equal(ada:take(), { type = "subscribed", channel = "private:ops" })
    t.equal(bob:take(), { type = "refused", channel = "private:ops", why = "your token does not open it" })
    app:push("private:ops", "hello")
    t.equal(ada:take(), "hello")
    t.equal(bob:take(), nil)
end)

t.test("other channels are open and a malformed request is refused", function()
    local ada = enter { sub = "ada" }
    ada:send { subscribe = "news" }
    t.equal(ada:take().type, "subscribed")
    ada:send { subscribe = 5 }
    t.equal(ada:take().type, "refused")
end)

t.test("when the token expires, the connection is closed", function()
    local ada = enter { sub = "ada" }
    app:advance(3590)
    t.ok(ada.isOpen)
    app:advance(11)
    t.equal(ada.closed, { code = 4001, reason = "token expired" })
end)

t.test("without a key every client is refused", function()
    local _, status = t.load("examples/auth"):connect()
    t.equal(status, 503)
end)
