// utf8.len, offset and char. The stock functions would run in C for the whole length of a string, so they are called
// for one part after another, and between two parts the event may be killed. The results are as in the stock library.
//
// The stock function is the upvalue.
#include "libraries.h"
#include "Watchdog/watchdog.h"

enum {
    part = 1 << 16,   // bytes or characters of one call
    most_codes = 200, // arguments of one call
};

// Calls the stock function, for short strings and for mistakes. [arguments...] -> [... results...]
static int call_stock(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// A position counted from 1, as the stock library reads it. Never raises.
static lua_Integer position_of(lua_Integer given, size_t count)
{
    if (given >= 0) {
        return given;
    }
    return (size_t)-given > count ? 0 : (lua_Integer)count + given + 1;
}

// The end of a part that begins at `first`, so that the next one begins with a character. No character has a run of
// more than six continuation bytes. Positions are from 1. Never raises.
static lua_Integer end_of_part(const char *text, lua_Integer first, lua_Integer last)
{
    lua_Integer end = first + part - 1;
    if (last - end < 8) {
        return last;
    }
    for (int back = 0; back < 6; back++) {
        if ((text[end - back] & 0xC0) != 0x80) {
            return end - back;
        }
    }
    return end;
}

// utf8.len(s, first, last, lax). [s first last lax] -> [... count | nil position]
static int utf8_len(lua_State *L)
{
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    lua_Integer next = position_of(luaL_optinteger(L, 2, 1), count);
    lua_Integer last = position_of(luaL_optinteger(L, 3, -1), count);
    if (count <= part || next < 1 || last > (lua_Integer)count) {
        return call_stock(L);
    }
    lua_settop(L, 4);
    lua_Integer total = 0;
    while (next <= last) {
        check_killed(L);
        lua_Integer end = end_of_part(text, next, last);
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, 1);
        lua_pushinteger(L, next);
        lua_pushinteger(L, end);
        lua_pushvalue(L, 4);
        lua_call(L, 4, 2);
        if (lua_isnil(L, -2)) {
            return 2;
        }
        total += lua_tointeger(L, -2);
        lua_pop(L, 2);
        next = end + 1;
    }
    lua_pushinteger(L, total);
    return 1;
}

// utf8.offset(s, n, position). [s n position] -> [... position | nil]
static int utf8_offset(lua_State *L)
{
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    lua_Integer left = luaL_checkinteger(L, 2);
    lua_Integer at = position_of(luaL_optinteger(L, 3, left > 0 ? 1 : (lua_Integer)count + 1), count);
    if ((left <= part && left >= -part) || left == LUA_MININTEGER || at < 1 || at > (lua_Integer)count + 1
        || (text[at - 1] & 0xC0) == 0x80) {
        return call_stock(L);
    }
    lua_settop(L, 3);
    bool is_forward = left > 0;
    left -= is_forward ? 1 : 0; // characters to pass by
    do {
        check_killed(L);
        lua_Integer most = is_forward ? left : -left;
        lua_Integer step = most < part ? most : part;
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, 1);
        lua_pushinteger(L, is_forward ? step + 1 : -step);
        lua_pushinteger(L, at);
        lua_call(L, 3, 1);
        if (lua_isnil(L, -1)) {
            return 1;
        }
        at = lua_tointeger(L, -1);
        lua_pop(L, 1);
        left -= is_forward ? step : -step;
    } while (left != 0);
    lua_pushinteger(L, at);
    return 1;
}

// utf8.char(...). [codes...] -> [... string]
static int utf8_char(lua_State *L)
{
    int count = lua_gettop(L);
    if (count <= most_codes) {
        return call_stock(L);
    }
    for (int i = 1; i <= count; i++) {
        check_killed(L);
        luaL_argcheck(L, (lua_Unsigned)luaL_checkinteger(L, i) <= 0x7FFFFFFFu, i, "value out of range");
    }
    luaL_checkstack(L, most_codes + 8, NULL);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (int first = 1; first <= count; first += most_codes) {
        check_killed(L);
        int codes = count - first + 1 < most_codes ? count - first + 1 : most_codes;
        lua_pushvalue(L, lua_upvalueindex(1));
        for (int i = 0; i < codes; i++) {
            lua_pushvalue(L, first + i);
        }
        lua_call(L, codes, 1);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    return 1;
}

// Replaces functions in the stock library's table. [utf8] -> [utf8]
void utf8_library_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"len", utf8_len}, {"offset", utf8_offset}, {"char", utf8_char}, {NULL, NULL},
    };
    wrap_functions(L, functions);
}
