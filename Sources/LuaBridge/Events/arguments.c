// The arguments of the script API. A mistake raises an error that names the function and the value that it expects.
#include <string.h>

#include "running.h"
#include "API/api.h"
#include "Watchdog/watchdog.h"

enum { close_reason_limit = 123 };

// The payload to send: text as it is, a number as its text, a table as JSON. The bytes belong to the stack or to the
// bridge. [...] -> [...]
BridgePayload check_payload(lua_State *L, int index, bool binary, const char *function)
{
    BridgePayload payload = {.binary = binary};
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        payload.bytes = lua_tolstring(L, index, &payload.count);
        break;
    case LUA_TTABLE: {
        BridgeStrings *text = &bridge_of(L)->text;
        json_encode(L, index, text);
        payload.bytes = text->bytes;
        payload.count = text->count;
        return payload;
    }
    default:
        luaL_error(L, "%s: expected a string, a number or a table, not %s", function, luaL_typename(L, index));
    }
    if (!binary && payload.bytes != bridge_of(L)->received && !is_utf8_text(L, payload.bytes, payload.count)) {
        const char *instead = function[4] == ':' ? "conn:sendBinary" : "{binary = true}";
        luaL_error(L, "%s: text must be valid UTF-8; use %s for bytes", function, instead);
    }
    return payload;
}

// A string; numbers are taken as their text. [...] -> [...]
BridgeBytes check_bytes(lua_State *L, int index, const char *function, const char *what)
{
    BridgeBytes bytes = {NULL, 0};
    if (!lua_isstring(L, index)) {
        luaL_error(L, "%s: %s must be a string, not %s", function, what, luaL_typename(L, index));
    }
    bytes.bytes = lua_tolstring(L, index, &bytes.count);
    return bytes;
}

// Text of at most so many bytes. [...] -> [...]
BridgeBytes check_text(lua_State *L, int index, size_t limit, const char *function, const char *what)
{
    BridgeBytes text = check_bytes(L, index, function, what);
    if (text.count > limit) {
        luaL_error(L, "%s: %s has more than %I bytes", function, what, (LUAI_UACINT)limit);
    }
    if (!is_utf8(text.bytes, text.count)) {
        luaL_error(L, "%s: %s must be valid UTF-8", function, what);
    }
    return text;
}

// Text that names something: a user, a connection, a timer. Invalid UTF-8 would have to be repaired on the way, and two
// names could become one. [...] -> [...]
BridgeBytes check_name(lua_State *L, int index, const char *function, const char *what)
{
    return check_text(L, index, name_limit, function, what);
}

// A length of time in seconds, finite and not negative. [...] -> [...]
double check_seconds(lua_State *L, int index, const char *function)
{
    int is_number;
    double seconds = lua_tonumberx(L, index, &is_number);
    if (!is_number) {
        luaL_error(L, "%s: seconds must be a number, not %s", function, luaL_typename(L, index));
    }
    if (!(seconds >= 0) || seconds > 1e9) {
        luaL_error(L, "%s: seconds must be from 0 to 1e9, not %f", function, seconds);
    }
    return seconds;
}

// The name of something that outlives the code. [...] -> [...]
void check_lasting_name(lua_State *L, int index, const char *function)
{
    if (lua_type(L, index) != LUA_TSTRING) {
        luaL_error(L, "%s: the name must be a string, not %s", function, luaL_typename(L, index));
    }
    size_t count = lua_rawlen(L, index);
    if (count == 0 || count > name_limit) {
        luaL_error(L, "%s: the name must have from 1 to %d bytes", function, name_limit);
    }
    check_name(L, index, function, "the name");
}

// Whether an endpoint may send this code (RFC 6455, 7.4). Never raises.
bool is_close_code(lua_Integer code)
{
    bool is_reserved = code == 1004 || code == 1005 || code == 1006;
    return (code >= 1000 && code <= 1014 && !is_reserved) || (code >= 3000 && code <= 4999);
}

// A close code, 1000 when it is absent. [...] -> [...]
int32_t check_close_code(lua_State *L, int index, const char *function)
{
    if (lua_isnoneornil(L, index)) {
        return 1000;
    }
    int is_integer;
    lua_Integer code = lua_tointegerx(L, index, &is_integer);
    if (!is_integer || !is_close_code(code)) {
        const char *given = push_as_text(L, index, NULL);
        luaL_error(L, "%s: %s is not a close code; use 1000 or one from 3000 to 4999", function, given);
    }
    return (int32_t)code;
}

// A close reason, empty when it is absent: at most 123 bytes of UTF-8 (RFC 6455, 5.5). [...] -> [...]
BridgeBytes check_close_reason(lua_State *L, int index, const char *function)
{
    if (lua_isnoneornil(L, index)) {
        return (BridgeBytes){"", 0};
    }
    BridgeBytes reason = check_bytes(L, index, function, "the reason");
    if (reason.count > close_reason_limit || !is_utf8(reason.bytes, reason.count)) {
        luaL_error(L, "%s: the reason must be UTF-8 of at most %d bytes", function, close_reason_limit);
    }
    return reason;
}

// Raises while a file's top level runs: loading must have no effect that would remain after a failed load. [] -> []
void forbid_while_loading(lua_State *L, const char *function)
{
    if (bridge_of(L)->loading) {
        luaL_error(L, "%s cannot be called while a script loads; do it in onStart", function);
    }
}

// Checks that an optional table of options has no other names. A read-only table is replaced with the real one.
// [...] -> [...]
void check_options(lua_State *L, int index, const char *const *names, int count, const char *function)
{
    if (lua_isnoneornil(L, index)) {
        return;
    }
    if (!lua_istable(L, index)) {
        luaL_error(L, "%s: options must be a table, not %s", function, luaL_typename(L, index));
    }
    read_through(L, index);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        check_killed(L);
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        bool known = false;
        for (int i = 0; i < count && name != NULL && !known; i++) {
            known = strcmp(names[i], name) == 0;
        }
        if (!known) {
            const char *nearest = name == NULL ? NULL : nearest_name(names, count, name);
            luaL_error(
                L, "%s: there is no option '%s'%s%s", function, name == NULL ? luaL_typename(L, -2) : name,
                nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest);
        }
    }
}
