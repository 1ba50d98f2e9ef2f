// Queries and headers as Lua tables, built from a list of names and values.
#include "running.h"
#include "Watchdog/watchdog.h"

typedef struct Pair {
    BridgeBytes name;
    BridgeBytes value;
} Pair;

static bool next_pair(const BridgeStrings *strings, size_t *offset, Pair *pair)
{
    pair->name.bytes = bridgeStringsNext(strings, offset, &pair->name.count);
    pair->value.bytes = pair->name.bytes == NULL ? NULL : bridgeStringsNext(strings, offset, &pair->value.count);
    return pair->value.bytes != NULL;
}

// A table with the first value of each name by name, and every pair in order in the sequence. `count` may be INT_MAX:
// to the end. [] -> [table]
void push_query(lua_State *L, const BridgeStrings *strings, size_t *offset, int count)
{
    lua_newtable(L);
    Pair pair;
    for (int position = 1; position <= count && next_pair(strings, offset, &pair); position++) {
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, pair.name.bytes, pair.name.count);
        lua_pushlstring(L, pair.value.bytes, pair.value.count); // [table entry name value]
        lua_pushvalue(L, -2);
        if (lua_rawget(L, -5) == LUA_TNIL) {
            lua_pushvalue(L, -3);
            lua_pushvalue(L, -3);
            lua_rawset(L, -7);
        }
        lua_pop(L, 1);
        lua_setfield(L, -3, "value");
        lua_setfield(L, -2, "name");
        lua_rawseti(L, -2, position);
    }
}

// Joins the values of a list with ", ". [list] -> [joined]
static void join(lua_State *L)
{
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = 1; i <= count; i++) {
        check_killed(L);
        if (i > 1) {
            luaL_addstring(&buffer, ", ");
        }
        lua_rawgeti(L, list, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    lua_replace(L, list);
}

// Adds a value to those of a name; true if there are several, which are in a list until all are known.
// [table name value] -> [table]
static bool add_header(lua_State *L)
{
    int table = lua_gettop(L) - 2;
    lua_pushvalue(L, -2);
    switch (lua_rawget(L, table)) { // [table name value earlier]
    case LUA_TNIL:
        lua_pop(L, 1);
        lua_rawset(L, table);
        return false;
    case LUA_TTABLE:
        lua_insert(L, -2);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        break;
    default:
        lua_createtable(L, 4, 0);
        lua_insert(L, -3); // [table name list value earlier]
        lua_rawseti(L, -3, 1);
        lua_rawseti(L, -2, 2);
        lua_rawset(L, table);
        return true;
    }
    lua_settop(L, table);
    return true;
}

// Each value by name; repeated names are joined with ", " (RFC 9110, 5.3). [] -> [table]
void push_headers(lua_State *L, const BridgeStrings *strings, size_t *offset, int count)
{
    bool has_lists = false;
    lua_newtable(L);
    Pair pair;
    for (int i = 0; i < count && next_pair(strings, offset, &pair); i++) {
        lua_pushlstring(L, pair.name.bytes, pair.name.count);
        lua_pushlstring(L, pair.value.bytes, pair.value.count);
        has_lists = add_header(L) || has_lists;
    }
    if (!has_lists) {
        return;
    }
    for (lua_pushnil(L); lua_next(L, -2) != 0;) { // [table name value]
        if (!lua_istable(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        join(L);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}
