// `require "name"`: a module of Scripts/lib, run once per generation.
#include <string.h>

#include "internal.h"

// "game.board" and "game/board" are the same module. [name] -> [name path]
static void push_path(lua_State *L, const char *name)
{
    luaL_gsub(L, name, ".", "/");
}

// [...] -> [...]
static int refuse(lua_State *L, const char *path)
{
    return luaL_error(L, "require: there is no module '%s' (lib/%s.lua)", path, path);
}

// Runs a module that has not run. The upvalues are chunks, loaded values, and the runs in which each was begun. [name
// path] -> [... value]
static int run_module(lua_State *L, const char *path)
{
    Bridge *b = bridge_of(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TFUNCTION) {
        return refuse(L, path);
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(3));
    if (lua_isinteger(L, -1) && lua_tointeger(L, -1) == b->run) {
        return luaL_error(L, "require: module '%s' requires itself, by way of others or directly", path);
    }
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, b->run);
    lua_rawset(L, lua_upvalueindex(3));
    check_stack_left(L);
    lua_call(L, 0, 1); // [name path value]
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, true);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(2));
    return 1;
}

// [name] -> [... value]
static int require(lua_State *L)
{
    check_bytes(L, 1, "require", "the module's name");
    lua_settop(L, 1);
    push_path(L, lua_tostring(L, 1));
    const char *path = lua_tostring(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) {
        return 1;
    }
    lua_pop(L, 1);
    return run_module(L, path);
}

// Makes a generation's `require`; its table is at `generation`. [] -> [function]
void push_require(lua_State *L, int generation)
{
    lua_getfield(L, generation, "modules");
    lua_newtable(L);
    lua_newtable(L);
    lua_pushcclosure(L, require, 3);
}
