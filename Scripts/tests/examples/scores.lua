local app = t.load("examples/scores", { settings = { scoresKey = "s3cret" } })

t.test("clients see each change and later ones the state of the match", function()
    local fan = app:connect { query = { match = "final" } }
    t.equal(fan:take(), { match = "final", home = 0, away = 0 })
    local reporter = app:connect { query = { match = "final", reporter = "s3cret" } }
    reporter:send { home = 1, away = 0 }
    t.equal(fan:take(), { match = "final", home = 1, away = 0 })
    t.equal(app:connect({ query = { match = "final" } }):take(), { match = "final", home = 1, away = 0 })
    t.equal(app:connect({ query = { match = "other" } }):take().home, 0)
end)

t.test("only the reporter changes a score, and only to a score", function()
    local fan = app:connect { query = { match = "cup" } }
    fan:take()
    fan:send { home = 9, away = 0 }
    t.equal(fan:take().why, "only the reporter may change a score")
    local reporter = app:connect { query = { match = "cup", reporter = "s3cret" } }
    reporter:take()
    reporter:send { home = "many" }
    t.equal(reporter:take().type, "refused")
    t.equal(fan:take(), nil)
end)

t.test("a match must be named, and the key be right", function()
    local client, status = app:connect()
    t.equal({ client, status }, { nil, 400 })
    t.equal({ app:connect { query = { match = "cup", reporter = "guess" } } }, { nil, 403, "wrong reporter key\n" })
end)

t.test("a score is kept for a day", function()
    local reporter = app:connect { query = { match = "old", reporter = "s3cret" } }
    reporter:send { home = 2, away = 2 }
    app:advance(24 * 3600 + 1)
    t.equal(app:connect({ query = { match = "old" } }):take().home, 0)
end)
