// The table `log`, and `print`, which is log.info.
#include "api.h"
#include "Watchdog/watchdog.h"

enum {
    longest_message = 1 << 16, // bytes; the rest is left out
    longest_fields = 1 << 20,  // bytes of all names and values
};

// Hands a message to the server's log, with the place in the script that called. [...] -> [...]
static void write_log(lua_State *L, BridgeLogLevel level, BridgeBytes message)
{
    Bridge *b = bridge_of(L);
    strings_check(L, &b->answer);
    if (message.count > longest_message) {
        message.count = longest_message;
        while ((message.bytes[message.count] & 0xC0) == 0x80 && message.count > longest_message - 4) {
            message.count--;
        }
    }
    lua_Debug place = {.currentline = 0};
    if (lua_getstack(L, 1, &place)) {
        lua_getinfo(L, "Sl", &place);
    }
    int32_t line = place.currentline > 0 ? place.currentline : 0;
    scriptHostLog(b->host, level, message, &b->answer, line > 0 ? place.short_src : "", line);
    strings_trim(&b->answer);
}

// Adds the value on top to a list: tables as JSON, the rest as text. [value] -> [value]
static void add_value(lua_State *L, Bridge *b)
{
    if (lua_istable(L, -1)) {
        json_encode(L, lua_gettop(L), &b->text);
        bridgeStringsAppend(&b->answer, b->text.bytes, b->text.count);
        return;
    }
    size_t count;
    const char *bytes = push_as_text(L, -1, &count);
    bridgeStringsAppend(&b->answer, bytes, count);
    lua_pop(L, 1);
}

// log.LEVEL(message, fields). [message fields] -> []
static int write_entry(lua_State *L)
{
    Bridge *b = bridge_of(L);
    BridgeLogLevel level = (BridgeLogLevel)lua_tointeger(L, lua_upvalueindex(1));
    luaL_checkany(L, 1);
    lua_settop(L, 2);
    if (!lua_isnil(L, 2) && !lua_istable(L, 2)) {
        return luaL_error(L, "log: fields must be a table, not %s", luaL_typename(L, 2));
    }
    BridgeBytes message;
    message.bytes = push_as_text(L, 1, &message.count); // [message fields text]
    strings_reset(&b->answer);
    if (lua_istable(L, 2)) {
        read_through(L, 2);
        for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) {
            check_killed(L);
            if (lua_type(L, -2) != LUA_TSTRING) {
                return luaL_error(L, "log: the name of a field must be a string, not %s", luaL_typename(L, -2));
            }
            size_t count;
            const char *name = lua_tolstring(L, -2, &count);
            bridgeStringsAppend(&b->answer, name, count);
            add_value(L, b);
            if (b->answer.count > longest_fields) {
                return luaL_error(L, "log: the fields have more than %d bytes", longest_fields);
            }
        }
    }
    write_log(L, level, message);
    return 0;
}

// print(...): the values with tabs between them. [...] -> []
int log_print(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (int i = 1; i <= count; i++) {
        check_killed(L);
        if (i > 1) {
            luaL_addchar(&text, '\t');
        }
        push_as_text(L, i, NULL);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    strings_reset(&bridge_of(L)->answer);
    BridgeBytes message;
    message.bytes = lua_tolstring(L, -1, &message.count);
    write_log(L, BridgeLogLevelInfo, message);
    return 0;
}

void push_log(lua_State *L)
{
    static const char *const levels[] = {
        [BridgeLogLevelDebug] = "debug",
        [BridgeLogLevelInfo] = "info",
        [BridgeLogLevelWarning] = "warn",
        [BridgeLogLevelError] = "error",
    };
    lua_createtable(L, 0, LENGTH(levels));
    for (int level = 0; level < LENGTH(levels); level++) {
        lua_pushinteger(L, level);
        lua_pushcclosure(L, write_entry, 1);
        lua_setfield(L, -2, levels[level]);
    }
    push_readonly(L, "log", true);
}
