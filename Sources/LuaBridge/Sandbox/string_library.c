// What the string library has besides patterns, where the stock function could go on for ever in C or lay hands on what
// all scripts share: strings keep their methods, but no script reaches their metatable, nor the table that it points to.
//
// Read next: pattern_functions.c.
#include <string.h>

#include "internal.h"

enum { most_bytes = 0x7FFFFFFF };

// Fills `count` bytes with copies of the `length` that are already there. Never raises.
static void fill(char *bytes, size_t length, size_t count)
{
    while (length < count) {
        size_t more = length < count - length ? length : count - length;
        memcpy(bytes + length, bytes, more);
        length += more;
    }
}

// string.rep(s, n, separator). The result is asked for before anything is written, so a large one fails at once.
// [s n separator] -> [... string]
static int string_rep(lua_State *L)
{
    size_t length;
    size_t between;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &between);
    size_t piece = length + between;
    if (times <= 0 || piece == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((size_t)times > most_bytes / piece) {
        return luaL_error(L, "resulting string too large");
    }
    size_t count = (size_t)times * piece - between;
    size_t limit = bridge_of(L)->block_limit;
    if (limit > 0 && count > limit) {
        return luaL_error(
            L, "string.rep: the result would be longer than %I bytes (scripts.largestBlock)", (LUAI_UACINT)limit);
    }
    luaL_Buffer buffer;
    char *bytes = luaL_buffinitsize(L, &buffer, count);
    memcpy(bytes, text, length);
    if (times > 1) {
        memcpy(bytes + length, separator, between);
        fill(bytes, piece, count);
    }
    luaL_pushresultsize(&buffer, count);
    return 1;
}

// string.format(format, ...), by the stock function, which is the upvalue. [format values...] -> [... string]
static int string_format(lua_State *L)
{
    check_stack_left(L); // its frame is large, and it calls __tostring
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// [string] -> [string]
static void protect_metatable(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

// Replaces what has to be replaced in the stock library's table. [string] -> [string]
void string_library_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"rep", string_rep}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, -2, "format");
    patterns_open(L);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    protect_metatable(L);
}
