// Metamethods that take effect only through setmetatable: __mode, and __concat if the library misreads memory in it.
// setmetatable checks them, but a script could write them into a metatable afterwards, under a name that it puts
// together, without a check. So Lua gets other names for them, which no script can write.
//
// Lua keeps every short string once, and finds a metamethod by the address of its name, which it has from its start.
// Here the bytes of that string are replaced with random ones. From then on "__mode" in a script is another string, and
// a field like any other. This costs no time.
//
// A metatable with a __mode that setmetatable allows is copied, and the copy has the new name: no script ever sees the
// copy.
#include <string.h>
#include <sys/random.h>

#include "libraries.h"
#include "Watchdog/watchdog.h"

// The key under which a copy keeps the metatable that the script gave.
static const char given_key;

// Gives the metamethod another name and keeps the name. No byte is zero, because the library also compares names as C
// strings. [] -> [], and its reference
static int rename_metamethod(lua_State *L, const char *name)
{
    char *bytes = (char *)(uintptr_t)lua_pushstring(L, name);
    size_t count = strlen(name);
    if (getrandom(bytes, count, 0) != (ssize_t)count) {
        luaL_error(L, "there are no random bytes");
    }
    for (size_t i = 0; i < count; i++) {
        bytes[i] |= !bytes[i];
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

// Called before anything else in the state uses the names. [] -> []
void metamethods_open(lua_State *L)
{
    Bridge *b = bridge_of(L);
    b->references.mode = rename_metamethod(L, "__mode");
    if (bridge_of(L)->has_old_bugs) {
        rename_metamethod(L, "__concat");
    }
    lua_newtable(L);
    make_weak(L, "k");
    b->references.in_use = luaL_ref(L, LUA_REGISTRYINDEX);
}

// Sets the mode of the metatable on top. [metatable mode] -> [metatable]
static void set_mode(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.mode);
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

// Makes a table of the bridge weak. [table] -> [table]
void make_weak(lua_State *L, const char *mode)
{
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    set_mode(L);
    lua_setmetatable(L, -2);
}

// Pushes the metatable that a script gave the table, if the table has a copy of it. [...] -> [...], or [... given]
static bool push_given(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    bool is_copy = lua_rawgetp(L, -1, &given_key) != LUA_TNIL;
    lua_remove(L, -2);
    if (!is_copy) {
        lua_pop(L, 1);
    }
    return is_copy;
}

// Whether the table's metatable has a __metatable, set by the script or by the bridge. [...] -> [...]
bool is_protected(lua_State *L, int index)
{
    if (push_given(L, index)) {
        lua_pushliteral(L, "__metatable");
        bool is = lua_rawget(L, -2) != LUA_TNIL;
        lua_pop(L, 2);
        return is;
    }
    bool is = luaL_getmetafield(L, index, "__metatable") != LUA_TNIL;
    lua_pop(L, is);
    return is;
}

// Whether a script made the table weak. [...] -> [...]
static bool is_weak(lua_State *L, int index)
{
    bool is = push_given(L, index);
    lua_pop(L, is);
    return is;
}

// Whether the table was used as a metatable. [table metatable in_use] -> [table metatable in_use]
static bool is_in_use(lua_State *L)
{
    lua_pushvalue(L, 1);
    bool is = lua_rawget(L, 3) != LUA_TNIL;
    lua_pop(L, 1);
    return is;
}

// A weak metatable may lose the table to which it passes a write on, in the middle of that write, and older libraries
// use that table afterwards. So each table that is ever used as a metatable is noted, and cannot be made weak.
// [table metatable] -> [table metatable]
static void keep_metatables_strong(lua_State *L, bool becomes_weak)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.in_use);
    if (is_weak(L, 2) || (becomes_weak && (lua_rawequal(L, 1, 2) || is_in_use(L)))) {
        luaL_error(L, "setmetatable: a metatable cannot be weak itself in this version of Lua");
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) == LUA_TNIL) {
        lua_pushvalue(L, 2);
        lua_pushboolean(L, true);
        lua_rawset(L, 3);
    }
    lua_settop(L, 2);
}

// Replaces the metatable with a weak copy; getmetatable returns the original. [table metatable] -> [table copy]
static void put_weak_copy(lua_State *L)
{
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 2) != 0;) { // [table metatable copy key value]
        check_killed(L);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, 3);
    }
    lua_pushliteral(L, "__metatable");
    if (lua_rawget(L, 3) == LUA_TNIL) {
        lua_pushliteral(L, "__metatable");
        lua_pushvalue(L, 2);
        lua_rawset(L, 3);
    }
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    lua_rawsetp(L, 3, &given_key);
    lua_pushliteral(L, "__mode");
    lua_rawget(L, 3);
    set_mode(L);
    lua_replace(L, 2);
}

// Sets a script's metatable, which was checked. If it has a __mode, the table gets the mode that it has at this moment.
// [table metatable] -> [table]
void set_checked_metatable(lua_State *L, bool becomes_weak)
{
    if (bridge_of(L)->has_old_bugs) {
        keep_metatables_strong(L, becomes_weak);
    }
    if (becomes_weak) {
        put_weak_copy(L);
    }
    lua_setmetatable(L, 1);
}
