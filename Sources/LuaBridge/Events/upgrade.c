// onUpgrade: the request as a table, and the decision of the handler.
#include "running.h"
#include "Reload/reload.h"

typedef struct Upgrade {
    int32_t script;
    BridgeConnection connection;
    const BridgeRequest *request;
    size_t offset;
} Upgrade;

// [] -> [string]
static void push_next(lua_State *L, Upgrade *upgrade)
{
    size_t count = 0;
    const char *bytes = bridgeStringsNext(upgrade->request->strings, &upgrade->offset, &count);
    lua_pushlstring(L, bytes == NULL ? "" : bytes, count);
}

// [] -> [request]
static void push_request(lua_State *L, Upgrade *upgrade)
{
    const BridgeRequest *request = upgrade->request;
    lua_createtable(L, 0, 7);
    push_next(L, upgrade);
    lua_setfield(L, -2, "path");
    push_next(L, upgrade);
    lua_setfield(L, -2, "ip");
    push_query(L, request->strings, &upgrade->offset, request->queryCount);
    lua_setfield(L, -2, "query");
    push_headers(L, request->strings, &upgrade->offset, request->headerCount);
    lua_setfield(L, -2, "headers");
    push_headers(L, request->strings, &upgrade->offset, request->cookieCount);
    lua_setfield(L, -2, "cookies");
    lua_createtable(L, request->subprotocolCount, 0);
    for (int32_t i = 1; i <= request->subprotocolCount; i++) {
        push_next(L, upgrade);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, "subprotocols");
    if (request->hasCertificate) {
        push_next(L, upgrade);
        lua_setfield(L, -2, "certificate");
    }
}

// Keeps a text for Swift to read. [] -> []
static void keep_text(lua_State *L, const char *bytes, size_t count)
{
    Bridge *b = bridge_of(L);
    strings_reset(&b->text);
    strings_add(&b->text, bytes, count);
    strings_check(L, &b->text);
    b->result.text = b->text.bytes;
    b->result.textCount = count;
}

// A table was returned: it becomes conn.data, and may choose the subprotocol. [... data] -> [...]
static void accept_with_data(lua_State *L, BridgeConnection connection)
{
    lua_pushvalue(L, -1);
    read_through(L, -1);
    lua_pushliteral(L, "subprotocol");
    int type = lua_rawget(L, -2);
    lua_remove(L, -2);
    if (type == LUA_TSTRING) {
        size_t count;
        const char *bytes = lua_tolstring(L, -1, &count);
        keep_text(L, bytes, count);
    } else if (type != LUA_TNIL) {
        luaL_error(L, "onUpgrade: subprotocol must be a string, not a %s", lua_typename(L, type));
    }
    lua_pop(L, 1);
    push_conn(L, bridge_of(L), connection);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    lua_pop(L, 1);
}

// [... false status body] -> [...]
static void refuse(lua_State *L)
{
    Bridge *b = bridge_of(L);
    int is_integer = 1;
    lua_Integer status = lua_isnil(L, -2) ? 403 : lua_tointegerx(L, -2, &is_integer);
    if (!is_integer || status < 300 || status > 599) {
        luaL_error(L, "onUpgrade: the status of a refusal must be from 300 to 599");
    }
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "onUpgrade: the body of a refusal must be a string, not a %s", luaL_typename(L, -1));
    }
    size_t count = 0;
    const char *body = lua_isnil(L, -1) ? "" : lua_tolstring(L, -1, &count);
    keep_text(L, body, count);
    b->result.code = (int32_t)status;
    b->result.outcome = BridgeOutcomeRefused;
    lua_pop(L, 3);
}

// The context holds the connection. [... answer status body] -> [...]
static int answered(lua_State *L, int status, lua_KContext context)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        return lua_error(L);
    }
    uint64_t packed = (uint64_t)context;
    BridgeConnection connection = {.slot = (uint32_t)(packed >> 32), .generation = (uint32_t)packed};
    switch (lua_type(L, -3)) {
    case LUA_TBOOLEAN:
        if (!lua_toboolean(L, -3)) {
            refuse(L);
        }
        return 0;
    case LUA_TTABLE:
        lua_pop(L, 2);
        accept_with_data(L, connection);
        return 0;
    default:
        return luaL_error(L, "onUpgrade must return true, a table or false, not %s", luaL_typename(L, -3));
    }
}

// [upgrade] -> []
static int upgrade_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    Upgrade *upgrade = lua_touserdata(L, 1);
    strings_check(L, &b->answer);
    uint64_t packed = (uint64_t)upgrade->connection.slot << 32 | upgrade->connection.generation;
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->live->handlers[upgrade->script * bridgeEventCount + BridgeEventUpgrade]);
    push_request(L, upgrade);
    return call_noted(L, 1, 3, (lua_KContext)packed, answered);
}

BridgeStrings *bridgeRequestStrings(Bridge *b)
{
    strings_reset(&b->answer);
    return &b->answer;
}

BridgeOutcome bridgeOnUpgrade(Bridge *b, int32_t script, BridgeConnection connection, const BridgeRequest *request)
{
    failure_clear(b);
    if (!bridgeDefines(b, script, BridgeEventUpgrade)) {
        return BridgeOutcomeAbsent;
    }
    Upgrade upgrade = {.script = script, .connection = connection, .request = request};
    return run_protected(b, upgrade_body, &upgrade, b->event_budget);
}
