-- The members of each room, for all workers: the number of connections of each name, as JSON in kv.

local roster = {}

local function key(room)
    return "roster " .. room
end

-- Lets `change` edit the counts, and once more when another worker has edited them meanwhile.
local function edit(room, change)
    for _ = 1, 100 do
        local before = kv.get(key(room))
        local counts = before and json.decode(before) or {}
        local result = change(counts)
        if kv.swap(key(room), before, next(counts) and json.encode(counts) or nil) then
            return result
        end
    end
    error("the roster of a room cannot be changed; is kv full?")
end

-- Adds one connection of this name. Answers with how many there are now: 1 says that the name is new.
function roster.add(room, name)
    return edit(room, function(counts)
        counts[name] = (counts[name] or 0) + 1
        return counts[name]
    end)
end

-- Takes one away. Answers with how many are left.
function roster.remove(room, name)
    return edit(room, function(counts)
        local left = (counts[name] or 0) - 1
        counts[name] = left > 0 and left or nil
        return left
    end)
end

-- All names in a room, in order.
function roster.names(room)
    local names = {}
    for name in pairs(json.decode(kv.get(key(room)) or "{}")) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

return roster
