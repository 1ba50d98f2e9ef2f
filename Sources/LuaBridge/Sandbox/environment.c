// The environment of a script: a list of allowed names, opened one library at a time, and nothing else. Each file has
// its own global table, which is always empty. A read goes on to the file's handlers (in a script), then to the globals
// of its generation, then raises. A write raises unless it defines a handler while the file loads. So a misspelt name
// is an error with its file and line, and no file can disturb another.
#include "libraries.h"
#include "API/api.h"
#include "Events/events.h"
#include "Tools/tools.h"

static const char *const base_names[] = {
    "_VERSION", "assert",   "error",  "getmetatable", "ipairs",   "next",     "pairs",
    "rawequal", "rawget",   "rawlen", "select",       "tonumber", "tostring", "type",
};

static const luaL_Reg libraries[] = {
    {"coroutine", luaopen_coroutine}, {"table", luaopen_table}, {"string", luaopen_string},
    {"math", luaopen_math},           {"utf8", luaopen_utf8},
};

// Raises for the read of an undeclared name. [table key] -> []
static int undefined_global(lua_State *L)
{
    return luaL_error(L, "undefined global '%s'", push_as_text(L, 2, NULL));
}

// Raises the reason for which a name cannot be written. [table key value] -> []
static int refuse_global(lua_State *L, const char *name, bool is_script)
{
    const char *nearest = is_script ? nearest_name(event_names, bridgeEventCount, name) : NULL;
    if (nearest != NULL) {
        return luaL_error(L, "undefined global '%s'; did you mean '%s'?", name, nearest);
    }
    return luaL_error(L, "undefined global '%s'; write 'local %s' to declare it", name, name);
}

// Writes a global. The upvalue is the table of the file's handlers, or false in a module. [table key value] -> []
static int write_global(lua_State *L)
{
    const char *name = push_as_text(L, 2, NULL);
    bool is_script = lua_istable(L, lua_upvalueindex(1));
    if (!is_script || lua_type(L, 2) != LUA_TSTRING || event_named(name) < 0) {
        return refuse_global(L, name, is_script);
    }
    if (!bridge_of(L)->loading) {
        return luaL_error(L, "%s: handlers are defined while the script loads", name);
    }
    if (!lua_isfunction(L, 3)) {
        return luaL_error(L, "%s must be a function, not %s", name, luaL_typename(L, 3));
    }
    lua_settop(L, 3);
    lua_rawset(L, lua_upvalueindex(1));
    return 0;
}

// Makes a file's global table; the generation's table is at `generation`. For a script the table of its handlers lies
// below. The environment's metatable holds the generation's sentinel, so that the sentinel lives as long as any code of
// the generation. [] -> [handlers environment | environment]
void push_script_environment(lua_State *L, int generation, bool is_script)
{
    lua_getfield(L, generation, "globals");
    if (is_script) {
        lua_newtable(L);
        lua_createtable(L, 0, 1); // [globals handlers metatable]
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "__index");
        lua_setmetatable(L, -2);
        lua_remove(L, -2);
    }
    lua_newtable(L);
    lua_createtable(L, 0, 4); // [handlers | globals, environment metatable]
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    if (is_script) {
        lua_pushvalue(L, -3);
    } else {
        lua_pushboolean(L, false);
    }
    lua_pushcclosure(L, write_global, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_getfield(L, generation, "sentinel");
    lua_rawseti(L, -2, 1);
    lua_setmetatable(L, -2);
    if (!is_script) {
        lua_remove(L, -2);
    }
}

// Copies the allowed functions of the base library. [globals] -> [globals]
static void open_base(lua_State *L)
{
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
    for (int i = 0; i < LENGTH(base_names); i++) {
        lua_getfield(L, -1, base_names[i]);
        lua_setfield(L, -3, base_names[i]);
    }
    lua_pop(L, 1);
    guards_open(L, lua_gettop(L));
}

// [globals] -> [globals]
static void open_libraries(lua_State *L)
{
    for (int i = 0; i < LENGTH(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 0);
        if (libraries[i].func == luaopen_string) {
            string_library_open(L);
        } else if (libraries[i].func == luaopen_table) {
            table_library_open(L);
        } else if (libraries[i].func == luaopen_utf8) {
            utf8_library_open(L);
        } else if (libraries[i].func == luaopen_coroutine) {
            coroutine_library_open(L, lua_gettop(L));
        }
        push_readonly(L, libraries[i].name, false);
        lua_setfield(L, -2, libraries[i].name);
    }
}

// [globals] -> [globals]
static void open_script_api(lua_State *L)
{
    static const struct {
        const char *name;
        void (*push)(lua_State *);
    } tables[] = {
        {"server", push_server}, {"json", push_json}, {"kv", push_kv}, {"http", push_http}, {"log", push_log}, {"time", push_time},
        {"crypto", push_crypto}, {"jwt", push_jwt},     {"metrics", push_metrics},
    };
    for (int i = 0; i < LENGTH(tables); i++) {
        tables[i].push(L);
        lua_setfield(L, -2, tables[i].name);
    }
}

// Builds the table that every generation's globals are copied from, without `config`. [] -> []
void environment_open(lua_State *L)
{
    Bridge *b = bridge_of(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, undefined_global);
    lua_setfield(L, -2, "__index");
    b->references.undefined = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    open_base(L);
    open_libraries(L);
    open_script_api(L);
    stick_open(L);
    b->references.globals = luaL_ref(L, LUA_REGISTRYINDEX);
}
