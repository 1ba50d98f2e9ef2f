// Plain values, which a script may keep in server.state: nil, booleans, numbers, strings, conns, and tables of these,
// at most 64 deep. A table may have a class of server.class as its metatable, and no other. Tables that are reached in
// two ways, or through themselves, are reached the same way in a copy.
#include <stdio.h>
#include <string.h>

#include "candidate.h"
#include "Events/events.h"
#include "Sandbox/sandbox.h"
#include "Watchdog/watchdog.h"

enum { deepest_table = 64 };

typedef struct Walk {
    const char *owner; // the beginning of messages: "main.lua:3: server.state 'rooms'"
    int seen;          // stack index of: table -> its copy, or true
    bool copies;
    int keys[deepest_table + 1]; // stack index of the key that led to each depth
} Walk;

static void walk_value(lua_State *L, Walk *walk, int depth);

// Writes the path to a value: ".lobby.members[3]". Never raises.
static void write_path(lua_State *L, const Walk *walk, int depth, char *path, size_t size)
{
    size_t used = 0;
    path[0] = '\0';
    for (int level = 1; level <= depth && used < size; level++) {
        int key = walk->keys[level];
        char *place = path + used;
        int written;
        if (lua_type(L, key) == LUA_TSTRING) {
            written = snprintf(place, size - used, ".%s", lua_tostring(L, key));
        } else if (lua_isinteger(L, key)) {
            written = snprintf(place, size - used, "[" LUA_INTEGER_FMT "]", lua_tointeger(L, key));
        } else {
            written = snprintf(place, size - used, "[%s]", luaL_typename(L, key));
        }
        used += written > 0 ? (size_t)written : 0;
    }
}

// Raises. [...] -> never returns
static void refuse(lua_State *L, const Walk *walk, int depth, const char *what)
{
    char path[160];
    write_path(L, walk, depth, path, sizeof path);
    lua_pushfstring(L, "%s: %s %s", walk->owner, depth == 0 ? "the value" : path, what);
    lua_error(L);
}

// [table] -> [table]
static void check_class(lua_State *L, const Walk *walk, int depth)
{
    if (!lua_getmetatable(L, -1)) {
        return;
    }
    if (is_readonly(L, -2)) {
        refuse(L, walk, depth, "is a read-only table; copy what it holds");
    }
    if (!is_class(L, -1)) {
        refuse(L, walk, depth, "has a metatable that is not a class of server.class");
    }
    lua_pop(L, 1);
}

// [key value] -> [key value]
static void check_key(lua_State *L, const Walk *walk, int depth)
{
    int type = lua_type(L, -2);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
        refuse(L, walk, depth, "has a key that is not a string, a number or a boolean");
    }
}

// [table] -> [copy | table]
static void walk_table(lua_State *L, Walk *walk, int depth)
{
    luaL_checkstack(L, 8, NULL);
    int table = lua_gettop(L);
    lua_pushvalue(L, table);
    if (lua_rawget(L, walk->seen) != LUA_TNIL) {
        lua_remove(L, walk->copies ? table : -1);
        return;
    }
    lua_pop(L, 1);
    if (depth == deepest_table) {
        refuse(L, walk, depth, "is nested more than 64 tables deep");
    }
    check_class(L, walk, depth);
    if (walk->copies) {
        push_room_for(L, table);
        if (lua_getmetatable(L, table)) {
            set_metatable_unarmed(L, -2);
        }
    } else {
        lua_pushboolean(L, true);
    }
    lua_pushvalue(L, table);
    lua_pushvalue(L, table + 1);
    lua_rawset(L, walk->seen);
    walk->keys[depth + 1] = table + 2;
    for (lua_pushnil(L); lua_next(L, table) != 0;) { // [table copy key value]
        check_killed(L);
        check_key(L, walk, depth);
        walk_value(L, walk, depth + 1);
        if (walk->copies) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, table + 1);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_remove(L, walk->copies ? table : -1);
}

// [value] -> [copy | value]
static void walk_value(lua_State *L, Walk *walk, int depth)
{
    char what[64];
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        return;
    case LUA_TTABLE:
        walk_table(L, walk, depth);
        return;
    case LUA_TUSERDATA:
        if (is_conn(L, -1)) {
            return;
        }
        break;
    default:
        break;
    }
    snprintf(what, sizeof what, "is a %s, not a plain value", luaL_typename(L, -1));
    refuse(L, walk, depth, what);
}

// Raises unless the value on top is plain. [value] -> [value]
void check_plain(lua_State *L, const char *owner)
{
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    lua_insert(L, -2);
    Walk walk = {.owner = owner, .seen = lua_gettop(L) - 1, .copies = false};
    walk_value(L, &walk, 0);
    lua_remove(L, -2);
}

// Replaces the plain value on top with a deep copy; raises if it is not plain. [value] -> [copy]
void copy_plain(lua_State *L, const char *owner)
{
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    lua_insert(L, -2);
    Walk walk = {.owner = owner, .seen = lua_gettop(L) - 1, .copies = true};
    walk_value(L, &walk, 0);
    lua_remove(L, -2);
}
