// Tables that scripts can read but not change. A script gets an empty table in place of the real one: reads go through
// to it, writes raise, `pairs` and `#` work, and the metatable is out of reach.
#include "memory.h"

// The upvalue is the table's name. [table key value] -> []
static int refuse_write(lua_State *L)
{
    const char *key = push_as_text(L, 2, NULL);
    return luaL_error(L, "%s.%s cannot be set: %s is read-only", lua_tostring(L, lua_upvalueindex(1)), key,
        lua_tostring(L, lua_upvalueindex(1)));
}

// The upvalue is the table's name. [table key] -> []
static int refuse_unknown(lua_State *L)
{
    const char *key = push_as_text(L, 2, NULL);
    return luaL_error(L, "%s has no field '%s'", lua_tostring(L, lua_upvalueindex(1)), key);
}

// Steps through the real table, as a script sees it. [table key] -> [key value | nil]
static int step(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_next(L, lua_upvalueindex(1)) == 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    check_stack_left(L);
    lua_gettable(L, 1);
    return 2;
}

// The upvalue is the real table. [table] -> [step table nil]
static int pairs(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, step, 1);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

// The upvalue is the real table. [table] -> [length]
static int length(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
    return 1;
}

// Replaces the table on top with a read-only stand-in. With `strict`, reading a field that it does not have raises.
// [table] -> [stand-in]
void push_readonly(lua_State *L, const char *name, bool strict)
{
    if (strict) {
        lua_createtable(L, 0, 1);
        lua_pushstring(L, name);
        lua_pushcclosure(L, refuse_unknown, 1);
        lua_setfield(L, -2, "__index");
        lua_setmetatable(L, -2);
    }
    lua_newtable(L);
    lua_createtable(L, 0, 5); // [table stand-in metatable]
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_pushcclosure(L, refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, pairs, 1);
    lua_setfield(L, -2, "__pairs");
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, length, 1);
    lua_setfield(L, -2, "__len");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

// Replaces a table of plain values, and the tables in it, with read-only stand-ins. The server itself reads through the
// stand-ins. [table] -> [stand-in]
void push_readonly_deep(lua_State *L, const char *name)
{
    luaL_checkstack(L, 12, NULL);
    lua_newtable(L); // [table shown]
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
        if (lua_istable(L, -1)) {
            lua_pushfstring(L, "%s.%s", name, lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?");
            lua_insert(L, -2);
            push_readonly_deep(L, lua_tostring(L, -2));
            lua_remove(L, -2);
        }
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4); // [table shown key]
    }
    push_readonly(L, name, false); // [table stand-in]
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.unwrapped);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    lua_remove(L, -2);
}

// Replaces a read-only table, which is empty itself, with the real one. Code that reads a script's table without its
// metamethods must call this first. [...] -> [...]
void read_through(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) {
        return;
    }
    lua_pop(L, 1);
    index = lua_absindex(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.unwrapped);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_replace(L, index);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
}

// Whether the table is a read-only stand-in. [...] -> [...]
bool is_readonly(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    lua_pushliteral(L, "__newindex");
    lua_rawget(L, -2);
    bool is = lua_tocfunction(L, -1) == refuse_write;
    lua_pop(L, 2);
    return is;
}

void readonly_open(lua_State *L)
{
    lua_newtable(L);
    bridge_of(L)->references.unwrapped = luaL_ref(L, LUA_REGISTRYINDEX);
}
