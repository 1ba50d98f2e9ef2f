// Queries and headers as Lua tables, built from a list of names and values.
#include "internal.h"

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

// The first value of each name by name, and every pair in order in the sequence. `count` may be INT_MAX: to the end. []
// -> [table]
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

// Each value by name; repeated names are joined with ", " (RFC 9110, 5.3). [] -> [table]
void push_headers(lua_State *L, const BridgeStrings *strings, size_t *offset, int count)
{
    lua_newtable(L);
    Pair pair;
    for (int i = 0; i < count && next_pair(strings, offset, &pair); i++) {
        lua_pushlstring(L, pair.name.bytes, pair.name.count);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_pushlstring(L, pair.value.bytes, pair.value.count);
        } else {
            lua_pushliteral(L, ", ");
            lua_pushlstring(L, pair.value.bytes, pair.value.count);
            lua_concat(L, 3);
        }
        lua_rawset(L, -3);
    }
}
