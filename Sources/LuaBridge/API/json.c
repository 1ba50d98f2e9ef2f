// JSON by lua-cjson, with a configuration of its own, and with what a server needs around it.
//
// Before encoding a walk over the value refuses what cjson would follow without end or write without bound: its buffer is
// outside the state's memory limit, and when malloc fails it ends the process. Before decoding the text's shape says how much
// memory it can take at most; only when that is there is cjson called, with the limit lifted, because it would leak its buffer if
// Lua ran out of memory in its middle. After decoding, whole numbers become Lua integers, since
// cjson knows only floats; a number beyond all floats is refused, so that whatever was decoded can be encoded.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

int luaopen_cjson(lua_State *L);

enum {
    json_limit = 16 << 20, // bytes of text, about
    json_slice = 1024,     // values between two looks at the budget
};

// What a walk over a value has seen.
typedef struct Walk {
    size_t written; // bytes of the text so far
    int steps;      // values until the next look at the budget
} Walk;

// --- encoding ---

// Counts one value and adds to the size of what will be written. [...] -> [...]
static void count_bytes(lua_State *L, Walk *walk, size_t bytes)
{
    if (--walk->steps <= 0) {
        walk->steps = json_slice;
        check_killed(L);
    }
    walk->written += bytes;
    if (walk->written > json_limit) {
        luaL_error(L, "JSON: the text would be longer than %d bytes", json_limit);
    }
}

// What a read-only table on top stands for; false, and nothing pushed, when it is none. [... table] -> [... table | real]
static bool push_unwrapped(lua_State *L)
{
    if (!lua_getmetatable(L, -1)) {
        return false;
    }
    lua_pop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.unwrapped);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1)) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

// Refuses what cannot be encoded. [... value] -> [... value]
static void check_value(lua_State *L, int depth, Walk *walk)
{
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
        size_t count;
        const char *bytes = lua_tolstring(L, -1, &count);
        if (!is_utf8(bytes, count)) {
            luaL_error(L, "JSON: a string is not valid UTF-8");
        }
        count_bytes(L, walk, count + 3);
        return;
    }
    case LUA_TNUMBER:
        if (!isfinite(lua_tonumber(L, -1))) {
            luaL_error(L, "JSON: there is no infinity and no NaN");
        }
        count_bytes(L, walk, 8);
        return;
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        count_bytes(L, walk, 5);
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            count_bytes(L, walk, 5);
            return;
        }
        break;
    case LUA_TTABLE:
        if (depth == json_depth) {
            luaL_error(L, "JSON: tables are nested more than %d deep, or contain themselves", json_depth);
        }
        luaL_checkstack(L, 4, NULL);
        if (push_unwrapped(L)) {
            luaL_error(L, "JSON: a read-only table inside another cannot be encoded; copy what you need");
        }
        count_bytes(L, walk, 2);
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            check_value(L, depth + 1, walk);
            if (lua_type(L, -2) == LUA_TSTRING) {
                lua_pushvalue(L, -2);
                check_value(L, depth + 1, walk);
                lua_pop(L, 1);
            } else if (lua_type(L, -2) != LUA_TNUMBER) {
                luaL_error(L, "JSON: a key must be a string or a number, not %s", luaL_typename(L, -2));
            }
        }
        return;
    default:
        break;
    }
    luaL_error(L, "JSON: a %s cannot be encoded", luaL_typename(L, -1));
}

// The value's JSON text. [... value] -> [... string]
static void encode_value(lua_State *L)
{
    luaL_checkstack(L, 8, NULL);
    if (lua_istable(L, -1) && push_unwrapped(L)) {
        lua_remove(L, -2);
    }
    Walk walk = {.steps = json_slice};
    check_value(L, 0, &walk);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.json_encode);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
}

void json_encode(lua_State *L, int index, BridgeStrings *text)
{
    lua_pushvalue(L, index);
    encode_value(L);
    size_t count;
    const char *bytes = lua_tolstring(L, -1, &count);
    strings_reset(text);
    strings_add(text, bytes, count);
    strings_check(L, text);
    lua_pop(L, 1);
}

// --- decoding ---

// The most bytes that the values of a text can take: 80 for a table, 48 for what holds a member or an element.
static size_t decoded_size(const char *bytes, size_t count)
{
    size_t size = 256 + 2 * count;
    for (size_t i = 0; i < count; i++) {
        switch (bytes[i]) {
        case '[':
        case '{':
            size += 128;
            break;
        case ',':
        case ':':
            size += 64;
            break;
        default:
            break;
        }
    }
    return size;
}

// Turns whole floats into integers, in place; false when there is a number that no float can hold.
// [... value] -> [... value], when false [... junk]
static bool restore_integers(lua_State *L)
{
    if (lua_type(L, -1) == LUA_TNUMBER) {
        double number = lua_tonumber(L, -1);
        if (!isfinite(number)) {
            return false;
        }
        if (fabs(number) < 9007199254740992.0 && number == floor(number)) {
            lua_pop(L, 1);
            lua_pushinteger(L, (lua_Integer)number);
        }
        return true;
    }
    if (!lua_istable(L, -1)) {
        return true;
    }
    luaL_checkstack(L, 6, NULL);
    for (lua_pushnil(L); lua_next(L, -2) != 0;) {
        int type = lua_type(L, -1);
        if (type != LUA_TNUMBER && type != LUA_TTABLE) {
            lua_pop(L, 1);
            continue;
        }
        if (!restore_integers(L)) { // [... table key value]
            return false;
        }
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4); // the key exists, so the walk goes on undisturbed
    }
    return true;
}

static bool refuse(char *why, size_t why_size, const char *problem)
{
    snprintf(why, why_size, "invalid JSON: %s", problem);
    return false;
}

bool json_decode(lua_State *L, const char *bytes, size_t count, char *why, size_t why_size)
{
    Bridge *b = bridge_of(L);
    if (!is_utf8(bytes, count)) {
        return refuse(why, why_size, "not valid UTF-8");
    }
    if (b->memory_limit > 0 && b->memory + decoded_size(bytes, count) > b->memory_limit) {
        return refuse(why, why_size, "too large for the memory that is left");
    }
    luaL_checkstack(L, 8, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.json_decode);
    lua_pushlstring(L, bytes, count);
    size_t limit = b->memory_limit;
    int64_t allocations_left = b->allocations_left;
    b->memory_limit = 0;
    b->allocations_left = -1;
    int status = lua_pcall(L, 1, 1, 0);
    b->memory_limit = limit;
    b->allocations_left = allocations_left;
    if (status != LUA_OK) {
        const char *problem = lua_tostring(L, -1);
        return refuse(why, why_size, problem != NULL ? problem : "unknown");
    }
    return restore_integers(L) || refuse(why, why_size, "a number is too large");
}

// --- the table `json` ---

// json.encode(value). [value] -> [... string]
static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    encode_value(L);
    return 1;
}

// json.decode(text). [text] -> [... value | nil reason]
static int decode(lua_State *L)
{
    BridgeBytes text = check_bytes(L, 1, "json.decode", "the text");
    lua_settop(L, 1);
    char why[160];
    if (json_decode(L, text.bytes, text.count, why, sizeof why)) {
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

// Calls a setting of the codec with the value on top. [... codec value] -> [... codec]
static void set(lua_State *L, const char *name)
{
    lua_getfield(L, -2, name);
    lua_insert(L, -2);
    lua_call(L, 1, 0);
}

// Keeps one function of the codec on top. [... codec] -> [... codec]
static int keep(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void json_open(lua_State *L)
{
    Bridge *b = bridge_of(L);
    lua_pushcfunction(L, luaopen_cjson);
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "new");
    lua_call(L, 0, 1); // [shared codec]
    lua_pushinteger(L, json_depth);
    set(L, "encode_max_depth");
    lua_pushinteger(L, json_depth);
    set(L, "decode_max_depth");
    lua_pushboolean(L, false);
    set(L, "decode_invalid_numbers"); // no hexadecimal digits, no NaN
    b->references.json_encode = keep(L, "encode");
    b->references.json_decode = keep(L, "decode");
    lua_pop(L, 2);
}

void push_json(lua_State *L)
{
    static const luaL_Reg functions[] = {{"encode", encode}, {"decode", decode}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    push_readonly(L, "json", true);
}
