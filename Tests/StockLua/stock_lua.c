// Lua with its libraries and with lua-cjson. The state is the StockLua itself. Its function is at 1 of the stack, its last answer at 2.
#include "StockLua.h"

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>

int luaopen_cjson(lua_State *L);

StockLua *stockLuaOpen(void)
{
    lua_State *L = luaL_newstate();
    if (L != NULL) {
        luaL_openlibs(L);
        luaL_requiref(L, "cjson", luaopen_cjson, true);
        lua_settop(L, 0);
    }
    return (StockLua *)L;
}

void stockLuaClose(StockLua *state)
{
    lua_close((lua_State *)state);
}

const char *stockLuaLoad(StockLua *state, const char *source, size_t count)
{
    lua_State *L = (lua_State *)state;
    lua_settop(L, 0);
    if (luaL_loadbufferx(L, source, count, "@main.lua", "t") == LUA_OK && lua_pcall(L, 0, 1, 0) == LUA_OK) {
        return NULL;
    }
    return lua_tostring(L, 1);
}

const char *stockLuaCall(StockLua *state, const char *text, size_t count, size_t *answer_count, bool *failed)
{
    lua_State *L = (lua_State *)state;
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, text, count);
    *failed = lua_pcall(L, 1, 1, 0) != LUA_OK;
    return luaL_tolstring(L, 2, answer_count);
}
