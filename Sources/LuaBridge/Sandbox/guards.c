// Functions of Lua's base library that scripts get in another form, because the originals would let a mistake affect
// more than its event.
#include <string.h>

#include "libraries.h"
#include "API/api.h"
#include "Reload/reload.h"
#include "Watchdog/watchdog.h"

// The raw field of a table. [...] -> [... value]
static int push_raw(lua_State *L, int index, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, index);
}

// A field of a metatable that setmetatable refuses, NULL if there is none. [...] -> [...]
static const char *refused_field(lua_State *L, int metatable)
{
    static const char *const fields[] = {"__gc", "__concat"};
    int count = bridge_of(L)->has_old_bugs ? 2 : 1;
    const char *refused = NULL;
    for (int i = 0; i < count && refused == NULL; i++) {
        if (push_raw(L, metatable, fields[i]) != LUA_TNIL) {
            refused = fields[i];
        }
        lua_pop(L, 1);
    }
    return refused;
}

// Raises a mistake in a metatable; returns whether it makes tables weak. [table metatable] -> [table metatable]
static bool check_metatable(lua_State *L)
{
    const char *field = refused_field(L, 2);
    if (field != NULL) {
        bool is_concat = strcmp(field, "__concat") == 0;
        luaL_error(
            L, "setmetatable: %s is not %s", field,
            is_concat ? "safe in this version of Lua; use a method instead" : "available");
    }
    bool has_mode = push_raw(L, 2, "__mode") == LUA_TSTRING;
    if (has_mode && strchr(lua_tostring(L, -1), 'k') != NULL) {
        luaL_error(L, "setmetatable: weak keys are not available; \"v\" is");
    }
    lua_pop(L, 1);
    if (is_readonly(L, 2)) {
        luaL_error(L, "setmetatable: a read-only table cannot be a metatable; copy what it holds");
    }
    return has_mode;
}

// Remembers a metatable of the candidate and the place where it was set, so that it can be checked again when the files
// have run: fields that it got in the meantime have no effect, and the author must be told.
// [table metatable] -> [table metatable]
static void note_metatable(lua_State *L)
{
    Bridge *b = bridge_of(L);
    if (!b->loading || b->candidate == NULL) {
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->candidate->table);
    bool has_mode = push_raw(L, 2, "__mode") != LUA_TNIL;
    lua_pop(L, 1);
    if (lua_getfield(L, -1, "metatables") == LUA_TTABLE && !has_mode) {
        lua_pushvalue(L, 2);
        luaL_where(L, 1);
        lua_rawset(L, -3);
    }
    lua_settop(L, 2);
}

// Raises if a metatable of the candidate later got a field that setmetatable would have refused. [] -> []
void check_metatables(lua_State *L)
{
    luaL_checkstack(L, 12, NULL);
    int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    if (lua_getfield(L, -1, "metatables") == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, top + 2) != 0; lua_pop(L, 1)) {
            check_killed(L);
            const char *field = refused_field(L, top + 3);
            if (field == NULL && push_raw(L, top + 3, "__mode") != LUA_TNIL) {
                field = "__mode";
            }
            lua_settop(L, top + 4);
            if (field != NULL) {
                lua_pushfstring(L, "%ssetmetatable: a metatable cannot get %s afterwards", lua_tostring(L, -1), field);
                lua_error(L);
            }
        }
    }
    lua_settop(L, top);
}

// Sets the metatable on top, which belongs to a script, on behalf of the bridge. A __gc that it got after setmetatable
// had checked it must not take effect: Lua only looks for it here, so it is removed during the call.
// [... metatable] -> [...]
void set_metatable_unarmed(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    int metatable = lua_gettop(L);
    if (!lua_istable(L, metatable) || push_raw(L, metatable, "__gc") == LUA_TNIL) {
        lua_settop(L, metatable);
        lua_setmetatable(L, index);
        return;
    }
    lua_pushliteral(L, "__gc");
    lua_pushnil(L);
    lua_rawset(L, metatable); // [... metatable gc]
    lua_pushvalue(L, metatable);
    lua_setmetatable(L, index);
    lua_pushliteral(L, "__gc");
    lua_insert(L, -2);
    lua_rawset(L, metatable);
    lua_settop(L, metatable - 1);
}

// [table metatable] -> [table]
static int guarded_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (is_protected(L, 1)) {
        return luaL_error(L, "cannot change a protected metatable");
    }
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_setmetatable(L, 1);
        return 1;
    }
    bool becomes_weak = check_metatable(L);
    note_metatable(L);
    set_checked_metatable(L, becomes_weak);
    return 1;
}

// [table key value] -> [table]
static int guarded_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (is_protected(L, 1)) {
        return luaL_error(L, "rawset: the table is read-only");
    }
    lua_rawset(L, 1);
    return 1;
}

// Replaces a stand-in with the table that it shows: the values of the real table, with stand-ins for the tables among
// them. [table ...] -> [shown ...]
static void show_through(lua_State *L)
{
    if (!lua_getmetatable(L, 1)) {
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.unwrapped);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) != LUA_TNIL) {
        push_raw(L, lua_gettop(L) - 2, "__index"); // [table ... metatable unwrapped real shown]
        lua_replace(L, 1);
    }
    lua_pop(L, 3);
}

// [table key] -> [... key value | nil]
static int guarded_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    show_through(L);
    if (lua_next(L, 1) != 0) {
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

// [table key] -> [... value]
static int guarded_rawget(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    show_through(L);
    lua_rawget(L, 1);
    return 1;
}

// [table] -> [length]
static int guarded_rawlen(lua_State *L)
{
    int type = lua_type(L, 1);
    luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
    lua_settop(L, 1);
    if (type == LUA_TTABLE) {
        show_through(L);
    }
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    return 1;
}

// [option] -> [kilobytes]
static int guarded_collectgarbage(lua_State *L)
{
    const char *option = luaL_optstring(L, 1, "collect");
    if (strcmp(option, "count") != 0) {
        return luaL_error(L, "collectgarbage: only \"count\" is available");
    }
    lua_pushnumber(L, (double)bridge_of(L)->memory / 1024);
    return 1;
}

// The end of a protected call; a script that is being killed cannot catch the error.
// [true f ...] -> [true results... | false error]
static int finish_pcall(lua_State *L, int status, lua_KContext extra)
{
    if (status == LUA_OK || status == LUA_YIELD) {
        return lua_gettop(L) - (int)extra;
    }
    check_killed(L);
    lua_pushboolean(L, false);
    lua_insert(L, -2);
    return 2;
}

// [f arguments...] -> [boolean results...]
static int guarded_pcall(lua_State *L)
{
    check_stack_left(L);
    luaL_checkany(L, 1);
    lua_pushboolean(L, true);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
    return finish_pcall(L, status, 0);
}

// Like finish_pcall, but the error goes through the script's message handler, which runs after the stack is unwound and
// cannot raise out of here. [handler true f ...] -> [... true results... | false message]
static int finish_xpcall(lua_State *L, int status, lua_KContext extra)
{
    if (status == LUA_OK || status == LUA_YIELD) {
        return lua_gettop(L) - (int)extra;
    }
    check_killed(L);
    lua_pushboolean(L, false);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -3); // [... error false handler error]
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        check_killed(L);
    }
    return 2;
}

// [f handler arguments...] -> [boolean results...]
static int guarded_xpcall(lua_State *L)
{
    check_stack_left(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int arguments = lua_gettop(L) - 2;
    lua_pushboolean(L, true);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); // [f handler true f arguments...]
    lua_remove(L, 1);
    int status = lua_pcallk(L, arguments, LUA_MULTRET, 0, 1, finish_xpcall);
    return finish_xpcall(L, status, 1);
}

// [value] -> [value text]
static int guarded_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    push_as_text(L, 1, NULL);
    return 1;
}

// Puts the guarded functions among the globals. [...] -> [...]
void guards_open(lua_State *L, int globals)
{
    static const luaL_Reg functions[] = {
        {"setmetatable", guarded_setmetatable},
        {"rawset", guarded_rawset},
        {"rawget", guarded_rawget},
        {"rawlen", guarded_rawlen},
        {"next", guarded_next},
        {"collectgarbage", guarded_collectgarbage},
        {"pcall", guarded_pcall},
        {"xpcall", guarded_xpcall},
        {"tostring", guarded_tostring},
        {"print", log_print},
        {NULL, NULL},
    };
    lua_pushvalue(L, globals);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
