// The input for the check of scripts: a file in its compiled form, and every name that scripts can use. No code of a
// script runs here.
#include "Events/events.h"
#include "State/state.h"

// Takes a piece of the compiled form. Never raises.
static int take_part(lua_State *L, const void *part, size_t count, void *text)
{
    (void)L;
    strings_add(text, part, count);
    return 0;
}

// [source] -> []
static int dump_body(lua_State *L)
{
    const BridgeSource *source = lua_touserdata(L, 1);
    BridgeStrings *text = &bridge_of(L)->text;
    const char *chunk_name = lua_pushfstring(L, "@%s", source->file);
    if (luaL_loadbufferx(L, source->bytes, source->count, chunk_name, "t") != LUA_OK) {
        return lua_error(L);
    }
    strings_reset(text);
    lua_dump(L, take_part, text, false);
    strings_check(L, text);
    bridge_of(L)->result.list = text;
    return 0;
}

bool bridgeDump(Bridge *b, const BridgeSource *source, BridgeBytes *compiled)
{
    if (run_protected(b, dump_body, (void *)source, 0) != BridgeOutcomeDone) {
        return false;
    }
    *compiled = (BridgeBytes){b->text.bytes, b->text.count};
    return true;
}

// Adds "owner.name", with "()" behind it when the value on top is a function. [name value] -> [name value]
static void add_name(lua_State *L, const char *owner)
{
    if (lua_type(L, -2) != LUA_TSTRING) {
        return;
    }
    bool is_function = lua_isfunction(L, -1);
    const char *dot = *owner == '\0' ? "" : ".";
    lua_pushfstring(L, "%s%s%s%s", owner, dot, lua_tostring(L, -2), is_function ? "()" : "");
    size_t count;
    const char *bytes = lua_tolstring(L, -1, &count);
    bridgeStringsAppend(&bridge_of(L)->answer, bytes, count);
    lua_pop(L, 1);
}

// Adds the fields of the table on top. [table] -> [table]
static void add_fields(lua_State *L, const char *owner)
{
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        add_name(L, owner);
    }
}

// Adds the fields of a table, for a read-only one those of the real table. [name table] -> [name table]
static void add_library(lua_State *L)
{
    const char *owner = lua_tostring(L, -2);
    if (!lua_getmetatable(L, -1)) {
        add_fields(L, owner);
        return;
    }
    lua_pushliteral(L, "__index");
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        add_fields(L, owner);
    }
    lua_pop(L, 2);
}

// Adds the methods and properties of a conn, from the tables that conn_index uses. [] -> []
static void add_conn(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.conn_metatable);
    lua_getfield(L, -1, "__index");
    if (lua_getupvalue(L, -1, 1) != NULL) {
        add_fields(L, "conn");
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

// [unused] -> []
static int vocabulary_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    strings_reset(&b->answer);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.globals);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        add_name(L, "");
        if (lua_istable(L, -1)) {
            add_library(L);
        }
    }
    add_conn(L);
    static const char *const others[] = {"require()", "server.version"};
    for (int i = 0; i < LENGTH(others); i++) {
        lua_pushstring(L, others[i]);
        bridgeStringsAppend(&b->answer, others[i], lua_rawlen(L, -1));
        lua_pop(L, 1);
    }
    strings_check(L, &b->answer);
    b->result.list = &b->answer;
    return 0;
}

const BridgeStrings *bridgeVocabulary(Bridge *b)
{
    return run_protected(b, vocabulary_body, NULL, 0) == BridgeOutcomeDone ? &b->answer : NULL;
}
