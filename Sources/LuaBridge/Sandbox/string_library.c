// Functions of the string library other than patterns, where the stock function could run very long in C or change
// values that all scripts share: strings keep their methods, but no script can reach their metatable, or the table that
// it points to.
//
// Read next: pattern_functions.c.
#include <string.h>

#include "libraries.h"
#include "Watchdog/watchdog.h"

enum {
    most_bytes = 0x7FFFFFFF,
    longest_format = 1 << 16, // bytes of a format of string.pack and unpack
    piece = 1 << 16,          // bytes between two checks of the budget
};

// Fills `count` bytes with copies of the `length` that are already there. Never raises.
static void fill(char *bytes, size_t length, size_t count)
{
    while (length < count) {
        size_t more = length < count - length ? length : count - length;
        memcpy(bytes + length, bytes, more);
        length += more;
    }
}

// string.rep(s, n, separator). The memory for the result is allocated before anything is written, so a large one fails
// at once. [s n separator] -> [... string]
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

static char upper_of(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static char lower_of(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// [s ...] -> [... string]
static inline int map_bytes(lua_State *L, char (*map)(char))
{
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    luaL_Buffer buffer;
    char *bytes = luaL_buffinitsize(L, &buffer, count);
    for (size_t start = 0; start < count; start += piece) {
        size_t end = count - start < piece ? count : start + piece;
        for (size_t i = start; i < end; i++) {
            bytes[i] = map(text[i]);
        }
        check_killed(L);
    }
    luaL_pushresultsize(&buffer, count);
    return 1;
}

// string.upper(s). [s] -> [... string]
static int string_upper(lua_State *L)
{
    return map_bytes(L, upper_of);
}

// string.lower(s). [s] -> [... string]
static int string_lower(lua_State *L)
{
    return map_bytes(L, lower_of);
}

// string.reverse(s). [s] -> [... string]
static int string_reverse(lua_State *L)
{
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    luaL_Buffer buffer;
    char *bytes = luaL_buffinitsize(L, &buffer, count);
    for (size_t start = 0; start < count; start += piece) {
        size_t end = count - start < piece ? count : start + piece;
        for (size_t i = start; i < end; i++) {
            bytes[i] = text[count - 1 - i];
        }
        check_killed(L);
    }
    luaL_pushresultsize(&buffer, count);
    return 1;
}

// string.pack, packsize and unpack: the stock function, which is the upvalue, gets only formats of a limited length.
// [format ...] -> [... results...]
static int pack_by_format(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > longest_format) {
        return luaL_argerror(L, 1, "format longer than 65536 bytes");
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// Replaces functions with those of the same names; the old functions become their upvalues. [library] -> [library]
void wrap_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name != NULL; functions++) {
        lua_getfield(L, -1, functions->name);
        lua_pushcclosure(L, functions->func, 1);
        lua_setfield(L, -2, functions->name);
    }
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

// Replaces functions in the stock library's table. [string] -> [string]
void string_library_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"rep", string_rep}, {"upper", string_upper}, {"lower", string_lower}, {"reverse", string_reverse}, {NULL, NULL},
    };
    static const luaL_Reg over_stock[] = {
        {"format", string_format}, {"pack", pack_by_format}, {"packsize", pack_by_format}, {"unpack", pack_by_format},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
    wrap_functions(L, over_stock);
    patterns_open(L);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    protect_metatable(L);
}
