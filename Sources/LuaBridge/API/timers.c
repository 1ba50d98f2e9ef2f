// server.after, server.every, server.cron, server.cancel. The bridge keeps the functions by number; the server decides
// when they are due.
#include "tables.h"
#include "Events/events.h"

// Keeps the function at `index`. [...] -> [...]
int32_t keep_function(lua_State *L, int index)
{
    Bridge *b = bridge_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.timers);
    do {
        b->last_function = b->last_function == INT32_MAX ? 1 : b->last_function + 1;
        lua_settop(L, index + 1);
    } while (lua_rawgeti(L, -1, b->last_function) != LUA_TNIL);
    lua_pop(L, 1);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, b->last_function);
    lua_pop(L, 1);
    return b->last_function;
}

void bridgeForgetTimer(Bridge *b, int32_t function)
{
    lua_State *L = b->main;
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.timers);
    if (lua_rawgeti(L, -1, function) != LUA_TNIL) {
        lua_pushnil(L); // the key exists, so this allocates nothing
        lua_rawseti(L, -3, function);
    }
    lua_pop(L, 2);
}

// Drops a function that was kept. [...] -> [...], never raises
void release_function(lua_State *L, int32_t function)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.timers);
    lua_pushnil(L);
    lua_rawseti(L, -2, function);
    lua_pop(L, 1);
}

// Starts a timer for the function at `index`, which is the last argument. [...] -> [... number | true]
static int start(lua_State *L, int index, BridgeTimer timer, const char *function)
{
    if (!lua_isfunction(L, index)) {
        return luaL_error(L, "%s: expected a function, not %s", function, luaL_typename(L, index));
    }
    lua_settop(L, index);
    luaL_checkstack(L, 4, NULL);
    int32_t kept = keep_function(L, index);
    BridgeStartedTimer started = {.number = 0, .replaced = 0, .why.count = 0};
    BridgeTimerResult result = scriptHostStartTimer(bridge_of(L)->host, kept, timer, &started);
    if (started.replaced > 0) {
        release_function(L, started.replaced);
    }
    switch (result) {
    case BridgeTimerResultStarted:
        lua_pushinteger(L, started.number);
        return 1;
    case BridgeTimerResultDeclared:
        break;
    case BridgeTimerResultElsewhere:
        release_function(L, kept);
        break;
    case BridgeTimerResultTooMany:
        release_function(L, kept);
        return luaL_error(L, "%s: too many timers", function);
    case BridgeTimerResultDeclaredTwice:
        release_function(L, kept);
        return luaL_error(L, "%s: there are two timers named '%s'", function, timer.name);
    case BridgeTimerResultInvalid:
        release_function(L, kept);
        lua_pushlstring(L, (const char *)started.why.bytes, (size_t)started.why.count);
        return luaL_error(L, "%s: %s", function, lua_tostring(L, -1));
    }
    lua_pushboolean(L, true);
    return 1;
}

// server.after(seconds, f). [seconds f] -> [... number]
static int server_after(lua_State *L)
{
    forbid_while_loading(L, "server.after");
    BridgeTimer timer = {.after = check_seconds(L, 1, "server.after")};
    return start(L, 2, timer, "server.after");
}

// server.every(name, seconds, f). [name seconds f] -> [... number | true]
static int server_every(lua_State *L)
{
    check_lasting_name(L, 1, "server.every");
    double seconds = check_seconds(L, 2, "server.every");
    if (seconds < 0.001) {
        return luaL_error(L, "server.every: seconds must be at least 0.001");
    }
    BridgeTimer timer = {.after = seconds, .period = seconds};
    timer.name = lua_tolstring(L, 1, &timer.nameCount);
    return start(L, 3, timer, "server.every");
}

// server.cron(name, expression, f). [name expression f] -> [... number | true]
static int server_cron(lua_State *L)
{
    check_lasting_name(L, 1, "server.cron");
    BridgeTimer timer = {.name = NULL};
    timer.name = lua_tolstring(L, 1, &timer.nameCount);
    timer.cron = check_bytes(L, 2, "server.cron", "the expression");
    if (timer.cron.count > name_limit) {
        return luaL_error(L, "server.cron: the expression has more than %d bytes", name_limit);
    }
    return start(L, 3, timer, "server.cron");
}

// server.cancel(number or name). [timer] -> [... boolean]
static int server_cancel(lua_State *L)
{
    forbid_while_loading(L, "server.cancel");
    int64_t number = 0;
    BridgeBytes name = {NULL, 0};
    if (lua_isinteger(L, 1)) {
        number = lua_tointeger(L, 1);
    } else {
        name = check_name(L, 1, "server.cancel", "the timer's name");
    }
    int32_t function = scriptHostCancelTimer(bridge_of(L)->host, number, name);
    if (function > 0) {
        release_function(L, function);
    }
    lua_pushboolean(L, function > 0);
    return 1;
}

const luaL_Reg timer_functions[] = {
    {"after", server_after},
    {"every", server_every},
    {"cron", server_cron},
    {"cancel", server_cancel},
    {NULL, NULL},
};

void timers_open(lua_State *L)
{
    lua_newtable(L);
    bridge_of(L)->references.timers = luaL_ref(L, LUA_REGISTRYINDEX);
}
