// `require "name"`: a module of Scripts/lib, run once per generation.
#include <string.h>

#include "sandbox.h"
#include "Events/events.h"

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

// Marks the module as no longer running, after it has returned or failed. The upvalues are the modules that run, and
// its path. [mark error] -> []
static int forget_running(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushnil(L); // the key exists, so this allocates nothing
    lua_rawset(L, lua_upvalueindex(1));
    return 0;
}

// Marks the module as running until the pushed value goes out of scope; the value must not be moved.
// [name path chunk] -> [name path chunk mark]
static void mark_running(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, forget_running, 2);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, true);
    lua_rawset(L, lua_upvalueindex(3));
    lua_toclose(L, -1);
}

// Runs a module for the first time. The upvalues are chunks, loaded values, and the modules that run.
// [name path] -> [... value]
static int run_module(lua_State *L, const char *path)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TFUNCTION) {
        return refuse(L, path);
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(3)) != LUA_TNIL) {
        return luaL_error(L, "require: module '%s' requires itself, by way of others or directly", path);
    }
    lua_pop(L, 1);
    mark_running(L);
    lua_pushvalue(L, 3);
    check_stack_left(L);
    lua_call(L, 0, 1); // [name path chunk mark value]
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
    if (check_bytes(L, 1, "require", "the module's name").count > name_limit) {
        return luaL_error(L, "require: the module's name has more than %d bytes", name_limit);
    }
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
