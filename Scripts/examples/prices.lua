-- Prices from a backend over HTTP: cached for all clients, and asked for again when the backend stumbles. The handler waits; other
-- connections go on meanwhile.
--
-- The backend is scripts.settings.backend, http://127.0.0.1:3000 if that is not set. GET /prices/tea answers {"price":3.2}.
-- Try it:  websocat ws://127.0.0.1:8080/examples/prices       and type the name of a product: tea

local attempts, lifetime = 3, 60 -- seconds

-- A response that is the backend's word on the matter; nil and why when there is none after all attempts.
local function ask(url)
    local why
    for attempt = 1, attempts do
        local response, reason = http.get(url, { timeout = 2 })
        if response and response.status < 500 then
            return response
        end
        why = reason or "status " .. response.status
        log.warn("the backend stumbles", { url = url, attempt = attempt, why = why })
        if attempt < attempts then
            server.sleep(0.2 * attempt)
        end
    end
    return nil, why
end

local function priceOf(product)
    local key = "price " .. product
    local price = kv.get(key)
    if price then
        return price, "cache"
    end
    local response, why = ask((config.backend or "http://127.0.0.1:3000") .. "/prices/" .. product)
    local found = response and response.status == 200 and json.decode(response.body)
    if type(found) ~= "table" or type(found.price) ~= "number" then
        return nil, why or "no such product"
    end
    kv.set(key, found.price, lifetime)
    return found.price, "backend"
end

function onMessage(conn, message)
    if not message:find "^[%w-]+$" then
        conn:send { type = "refused", why = "the name of a product has letters, digits and '-'" }
        return
    end
    local price, note = priceOf(message)
    if price then
        conn:send { type = "price", product = message, price = price, from = note }
    else
        conn:send { type = "unknown", product = message, why = note }
    end
end
