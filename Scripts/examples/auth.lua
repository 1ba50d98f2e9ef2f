-- Login by token, and private channels: a backend signs a JSON Web Token with the client's name and channels.
--
-- Give the server the key: scripts.settings.authKey. A token of user ada for the channel private:ops until tomorrow has the claims
-- {"sub":"ada","channels":["private:ops"],"exp":…} and is signed with HS256 (any JWT library, or jwt.sign in a script).
-- Try it:  websocat "ws://127.0.0.1:8080/examples/auth?token=$TOKEN"
-- You will see who you are. Type {"subscribe":"private:ops"}, or {"subscribe":"news"}, which needs no permission; then
--          curl -d 'hello' http://127.0.0.1:9080/v1/channels/private:ops/messages

function onUpgrade(request)
    if not config.authKey then
        return false, 503, "scripts.settings.authKey is not set\n"
    end
    local claims, why = jwt.verify(request.query.token, config.authKey, { alg = "HS256" })
    if not claims or type(claims.sub) ~= "string" then
        return false, 401, "token: " .. (why or "names nobody") .. "\n"
    end
    local allowed = {}
    for _, channel in ipairs(type(claims.channels) == "table" and claims.channels or {}) do
        allowed[channel] = true
    end
    return { user = claims.sub, allowed = allowed, expires = claims.exp } -- becomes conn.data
end

function onOpen(conn)
    conn:identify(conn.data.user)
    conn:send { type = "welcome", user = conn.user }
    if conn.data.expires then
        server.after(math.max(0, conn.data.expires - time.now()), function()
            conn:close(4001, "token expired")
        end)
    end
end

function onMessage(conn, message)
    local request = json.decode(message)
    local channel = type(request) == "table" and request.subscribe
    if type(channel) ~= "string" then
        conn:send { type = "refused", why = 'send {"subscribe":"CHANNEL"}' }
    elseif channel:find "^private:" and not conn.data.allowed[channel] then
        conn:send { type = "refused", channel = channel, why = "your token does not open it" }
    else
        local done, why = conn:subscribe(channel)
        conn:send { type = done and "subscribed" or "refused", channel = channel, why = why }
    end
end
