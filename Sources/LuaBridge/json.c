// The table `json`.
#include "internal.h"

// json.encode(value). [value] -> [... string]
static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    BridgeStrings *text = &bridge_of(L)->text;
    json_encode(L, 1, text);
    lua_pushlstring(L, text->bytes, text->count);
    strings_trim(text);
    return 1;
}

// json.decode(text). [text] -> [... value | nil reason]
static int decode(lua_State *L)
{
    BridgeBytes text = check_bytes(L, 1, "json.decode", "the text");
    lua_settop(L, 1);
    char why[128];
    bool decoded = json_decode(L, text.bytes, text.count, why, sizeof why);
    strings_trim(&bridge_of(L)->text);
    if (decoded) {
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static const luaL_Reg functions[] = {{"encode", encode}, {"decode", decode}, {NULL, NULL}};

void push_json(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    push_readonly(L, "json", true);
}
