-- Live scores: a client sees the state of the match at once, and then every change.
--
-- Try it:  websocat 'ws://127.0.0.1:8080/examples/scores?match=final'
-- and, with the key that the configuration has under scripts.settings.scoresKey, as the reporter:
--          websocat 'ws://127.0.0.1:8080/examples/scores?match=final&reporter=KEY'
-- Type {"home":1,"away":0}: everybody sees it, and so will those who come later.

local function channel(match)
    return "scores:" .. match
end

function onUpgrade(request)
    local match, key = request.query.match, request.query.reporter
    if not match then
        return false, 400, "which match? ?match=NAME\n"
    elseif key and key ~= config.scoresKey then
        return false, 403, "wrong reporter key\n"
    end
    return { match = match, isReporter = key ~= nil }
end

function onOpen(conn)
    local match = conn.data.match
    conn:subscribe(channel(match))
    conn:send(kv.get(channel(match)) or { match = match, home = 0, away = 0 })
end

function onMessage(conn, message)
    local score = json.decode(message)
    if not conn.data.isReporter then
        conn:send { type = "refused", why = "only the reporter may change a score" }
    elseif type(score) ~= "table" or not math.tointeger(score.home) or not math.tointeger(score.away) then
        conn:send { type = "refused", why = 'a score is {"home":1,"away":0}' }
    else
        local text = json.encode { match = conn.data.match, home = score.home, away = score.away }
        kv.set(channel(conn.data.match), text, 24 * 3600) -- kept for a day
        server.publish(channel(conn.data.match), text)
    end
end
