// The table `json`.
//
// Read next: json_encode.c, json_decode.c.
#include "json.h"
#include "Events/events.h"

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
    char why[160];
    if (json_decode(L, text.bytes, text.count, why, sizeof why)) {
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

void push_json(lua_State *L)
{
    static const luaL_Reg functions[] = {{"encode", encode}, {"decode", decode}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    push_readonly(L, "json", true);
}
