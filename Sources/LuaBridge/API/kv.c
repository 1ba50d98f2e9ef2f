// The table `kv`: plain values that all workers share. No call waits.
#include "api.h"
#include "Events/events.h"

// [...] -> [...]
static BridgeBytes check_key(lua_State *L, const char *function)
{
    BridgeBytes key = check_bytes(L, 1, function, "the key");
    if (key.count > name_limit) {
        luaL_error(L, "%s: the key has more than %d bytes", function, name_limit);
    }
    return key;
}

// [...] -> [...]
static BridgeValue check_value(lua_State *L, int index, const char *function)
{
    BridgeValue value = {.kind = BridgeValueKindNil};
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        break;
    case LUA_TBOOLEAN:
        value.kind = BridgeValueKindBoolean;
        value.boolean = lua_toboolean(L, index);
        break;
    case LUA_TNUMBER:
        value.kind = lua_isinteger(L, index) ? BridgeValueKindInteger : BridgeValueKindNumber;
        value.integer = value.kind == BridgeValueKindInteger ? lua_tointeger(L, index) : 0;
        value.number = lua_tonumber(L, index);
        break;
    case LUA_TSTRING:
        value.kind = BridgeValueKindString;
        value.string.bytes = lua_tolstring(L, index, &value.string.count);
        break;
    case LUA_TTABLE:
        luaL_error(L, "%s: a table cannot be kept; json.encode makes a string of it", function);
        break;
    default:
        luaL_error(L, "%s: a %s cannot be kept", function, luaL_typename(L, index));
    }
    return value;
}

// The lifetime in seconds, 0 for no end. [...] -> [...]
static double check_lifetime(lua_State *L, int index, const char *function)
{
    if (lua_isnoneornil(L, index)) {
        return 0;
    }
    double seconds = check_seconds(L, index, function);
    if (seconds == 0) {
        luaL_error(L, "%s: a lifetime must be more than 0 seconds", function);
    }
    return seconds;
}

// [] -> [value]
static void push_value(lua_State *L, const BridgeValue *value)
{
    BridgeStrings *answer = &bridge_of(L)->answer;
    switch (value->kind) {
    case BridgeValueKindNil:
        lua_pushnil(L);
        return;
    case BridgeValueKindBoolean:
        lua_pushboolean(L, value->boolean);
        return;
    case BridgeValueKindInteger:
        lua_pushinteger(L, value->integer);
        return;
    case BridgeValueKindNumber:
        lua_pushnumber(L, value->number);
        return;
    case BridgeValueKindString: {
        strings_check(L, answer);
        size_t offset = 0;
        size_t count = 0;
        const char *bytes = bridgeStringsNext(answer, &offset, &count);
        lua_pushlstring(L, bytes, count);
        strings_trim(answer);
        return;
    }
    }
}

// [] -> [true | false why]
static int push_result(lua_State *L, BridgeStoreResult result)
{
    lua_pushboolean(L, result == BridgeStoreResultDone);
    if (result != BridgeStoreResultFull) {
        return 1;
    }
    lua_pushliteral(L, "kv is full");
    return 2;
}

// kv.get(key). [key] -> [... value]
static int get(lua_State *L)
{
    Bridge *b = bridge_of(L);
    BridgeBytes key = check_key(L, "kv.get");
    BridgeValue value = {.kind = BridgeValueKindNil};
    strings_reset(&b->answer);
    scriptHostStoreRead(b->host, key, &value, &b->answer);
    push_value(L, &value);
    return 1;
}

// kv.set(key, value, lifetime); nil deletes. [key value lifetime] -> [... true | false why]
static int set(lua_State *L)
{
    forbid_while_loading(L, "kv.set");
    BridgeBytes key = check_key(L, "kv.set");
    BridgeValue value = check_value(L, 2, "kv.set");
    double lifetime = check_lifetime(L, 3, "kv.set");
    return push_result(L, scriptHostStoreWrite(bridge_of(L)->host, key, &value, lifetime));
}

// kv.incr(key, by, lifetime). [key by lifetime] -> [... number | nil why]
static int incr(lua_State *L)
{
    forbid_while_loading(L, "kv.incr");
    BridgeBytes key = check_key(L, "kv.incr");
    BridgeValue value = {.kind = BridgeValueKindInteger, .integer = 1, .number = 1};
    if (!lua_isnoneornil(L, 2)) {
        value = check_value(L, 2, "kv.incr");
    }
    if (value.kind != BridgeValueKindInteger && value.kind != BridgeValueKindNumber) {
        return luaL_error(L, "kv.incr: expected a number, not %s", luaL_typename(L, 2));
    }
    double lifetime = check_lifetime(L, 3, "kv.incr");
    switch (scriptHostStoreAdd(bridge_of(L)->host, key, &value, lifetime)) {
    case BridgeStoreResultDone:
    case BridgeStoreResultMismatch:
        push_value(L, &value);
        return 1;
    case BridgeStoreResultNotANumber:
        return luaL_error(L, "kv.incr: '%s' does not hold a number", key.bytes);
    case BridgeStoreResultFull:
        lua_pushnil(L);
        lua_pushliteral(L, "kv is full");
        return 2;
    }
    return 0;
}

// kv.swap(key, expected, value, lifetime). [key expected value lifetime] -> [... true | false current]
static int swap(lua_State *L)
{
    Bridge *b = bridge_of(L);
    forbid_while_loading(L, "kv.swap");
    BridgeBytes key = check_key(L, "kv.swap");
    BridgeValue expected = check_value(L, 2, "kv.swap");
    BridgeValue value = check_value(L, 3, "kv.swap");
    double lifetime = check_lifetime(L, 4, "kv.swap");
    strings_reset(&b->answer);
    BridgeStoreResult result = scriptHostStoreSwap(b->host, key, &expected, &value, lifetime, &b->answer);
    if (result != BridgeStoreResultMismatch) {
        return push_result(L, result);
    }
    lua_pushboolean(L, false);
    push_value(L, &value);
    return 2;
}

// kv.delete(key). [key] -> [... boolean]
static int delete_key(lua_State *L)
{
    forbid_while_loading(L, "kv.delete");
    BridgeBytes key = check_key(L, "kv.delete");
    lua_pushboolean(L, scriptHostStoreDelete(bridge_of(L)->host, key));
    return 1;
}

static const luaL_Reg functions[] = {
    {"get", get}, {"set", set}, {"incr", incr}, {"swap", swap}, {"delete", delete_key}, {NULL, NULL},
};

void push_kv(lua_State *L)
{
    luaL_newlib(L, functions);
    push_readonly(L, "kv", true);
}
