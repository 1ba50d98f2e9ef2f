// JSON from Lua values (RFC 8259), written into memory of the bridge so that an error half-way leaks nothing. Integers keep all their digits, and a
// float as many as bring it back exactly. A table whose keys are 1..n is an array, an empty one and every other an object.
//
// Runs no code of the script: tables are read raw.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static void encode(lua_State *L, BridgeStrings *text, int depth);

static void add_literal(BridgeStrings *text, const char *literal)
{
    strings_add(text, literal, strlen(literal));
}

// [string] -> [string]
static void encode_string(lua_State *L, BridgeStrings *text, const char *bytes, size_t count)
{
    static const char hex[] = "0123456789abcdef";
    if (!is_utf8(bytes, count)) {
        luaL_error(L, "JSON: a string is not valid UTF-8");
    }
    add_literal(text, "\"");
    size_t start = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        strings_add(text, bytes + start, i - start);
        start = i + 1;
        char escape[7] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15], '\0'};
        switch (byte) {
        case '"':
        case '\\':
            escape[1] = (char)byte;
            escape[2] = '\0';
            break;
        case '\n':
            memcpy(escape, "\\n", 3);
            break;
        case '\r':
            memcpy(escape, "\\r", 3);
            break;
        case '\t':
            memcpy(escape, "\\t", 3);
            break;
        default:
            break;
        }
        add_literal(text, escape);
    }
    strings_add(text, bytes + start, count - start);
    add_literal(text, "\"");
}

// [number] -> [number]
static void encode_number(lua_State *L, BridgeStrings *text, int index)
{
    char digits[40];
    if (lua_isinteger(L, index)) {
        snprintf(digits, sizeof digits, LUA_INTEGER_FMT, lua_tointeger(L, index));
        add_literal(text, digits);
        return;
    }
    double number = lua_tonumber(L, index);
    if (!isfinite(number)) {
        luaL_error(L, "JSON: there is no %f in it", number);
    }
    if (number == floor(number) && fabs(number) < 1e15) {
        snprintf(digits, sizeof digits, "%.0f", number == 0 ? 0.0 : number);
    } else {
        snprintf(digits, sizeof digits, "%.16g", number);
        if (strtod(digits, NULL) != number) {
            snprintf(digits, sizeof digits, "%.17g", number);
        }
    }
    add_literal(text, digits);
}

// The length of the array that the table on top is, 0 when it is an object. [table] -> [table]
static lua_Integer array_length(lua_State *L)
{
    lua_Integer longest = 0;
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (key < 1) {
            lua_pop(L, 2);
            return 0;
        }
        count += 1;
        longest = key > longest ? key : longest;
    }
    if (longest > 10 && longest / 2 > count) {
        luaL_error(L, "JSON: a list has %d values but goes up to %d: too sparse", (int)count, (int)longest);
    }
    return longest;
}

// [table] -> [table]
static void encode_array(lua_State *L, BridgeStrings *text, lua_Integer length, int depth)
{
    add_literal(text, "[");
    for (lua_Integer i = 1; i <= length; i++) {
        if (i > 1) {
            add_literal(text, ",");
        }
        lua_rawgeti(L, -1, i);
        if (lua_isnil(L, -1)) {
            add_literal(text, "null");
        } else {
            encode(L, text, depth);
        }
        lua_pop(L, 1);
    }
    add_literal(text, "]");
}

// [key] -> [key]
static void encode_key(lua_State *L, BridgeStrings *text)
{
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
        size_t count;
        const char *bytes = lua_tolstring(L, -1, &count);
        encode_string(L, text, bytes, count);
        return;
    }
    case LUA_TNUMBER:
        add_literal(text, "\"");
        encode_number(L, text, -1);
        add_literal(text, "\"");
        return;
    default:
        luaL_error(L, "JSON: a key must be a string or a number, not %s", luaL_typename(L, -1));
    }
}

// [table] -> [table]
static void encode_object(lua_State *L, BridgeStrings *text, int depth)
{
    add_literal(text, "{");
    bool first = true;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        if (!first) {
            add_literal(text, ",");
        }
        first = false;
        lua_pushvalue(L, -2);
        encode_key(L, text);
        lua_pop(L, 1);
        add_literal(text, ":");
        encode(L, text, depth);
    }
    add_literal(text, "}");
}

// Puts what a read-only table stands for in its place. [table] -> [table]
static void unwrap(lua_State *L)
{
    if (!lua_getmetatable(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.unwrapped);
    lua_pushvalue(L, -2);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_replace(L, -3);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
}

// [table] -> [table]
static void encode_table(lua_State *L, BridgeStrings *text, int depth)
{
    if (depth == json_depth) {
        luaL_error(L, "JSON: tables are nested more than %d deep, or contain themselves", json_depth);
    }
    luaL_checkstack(L, 8, NULL);
    unwrap(L);
    lua_Integer length = array_length(L);
    if (length > 0) {
        encode_array(L, text, length, depth + 1);
    } else {
        encode_object(L, text, depth + 1);
    }
}

// [value] -> [value]
static void encode(lua_State *L, BridgeStrings *text, int depth)
{
    strings_check(L, text);
    switch (lua_type(L, -1)) {
    case LUA_TTABLE:
        encode_table(L, text, depth);
        return;
    case LUA_TSTRING: {
        size_t count;
        const char *bytes = lua_tolstring(L, -1, &count);
        encode_string(L, text, bytes, count);
        return;
    }
    case LUA_TNUMBER:
        encode_number(L, text, -1);
        return;
    case LUA_TBOOLEAN:
        add_literal(text, lua_toboolean(L, -1) ? "true" : "false");
        return;
    case LUA_TNIL:
        add_literal(text, "null");
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            add_literal(text, "null"); // json.null
            return;
        }
        break;
    default:
        break;
    }
    luaL_error(L, "JSON: a %s cannot be encoded", luaL_typename(L, -1));
}

// Encodes the value at `index` into an empty list. [...] -> [...]
void json_encode(lua_State *L, int index, BridgeStrings *text)
{
    strings_reset(text);
    lua_pushvalue(L, index);
    encode(L, text, 0);
    lua_pop(L, 1);
    strings_check(L, text);
}
