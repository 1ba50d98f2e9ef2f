// The encodings in the table `crypto`: Base64 and hexadecimal digits. The result is written into a buffer that Lua owns.
#include "codec.h"
#include "internal.h"

// [] -> [nil reason]
static int refuse(lua_State *L, const char *reason)
{
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
}

// [data] -> [... text]
static int encode_base64(lua_State *L, Base64Alphabet alphabet, const char *function)
{
    BridgeBytes data = check_bytes(L, 1, function, "the data");
    luaL_Buffer buffer;
    char *text = luaL_buffinitsize(L, &buffer, base64_text_room(data.count));
    luaL_pushresultsize(&buffer, base64_encode(data.bytes, data.count, text, alphabet));
    return 1;
}

// [text] -> [... bytes | nil reason]
static int decode_base64(lua_State *L, Base64Alphabet alphabet, const char *function)
{
    BridgeBytes text = check_bytes(L, 1, function, "the text");
    luaL_Buffer buffer;
    uint8_t *bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, base64_bytes_room(text.count));
    size_t count;
    if (!base64_decode(text.bytes, text.count, alphabet, bytes, &count)) {
        return refuse(L, "invalid Base64");
    }
    luaL_pushresultsize(&buffer, count);
    return 1;
}

// crypto.base64(bytes). [data] -> [... text]
static int base64(lua_State *L)
{
    return encode_base64(L, BASE64_STANDARD, "crypto.base64");
}

// crypto.base64url(bytes). [data] -> [... text]
static int base64url(lua_State *L)
{
    return encode_base64(L, BASE64_URL, "crypto.base64url");
}

// crypto.fromBase64(text). [text] -> [... bytes | nil reason]
static int from_base64(lua_State *L)
{
    return decode_base64(L, BASE64_STANDARD, "crypto.fromBase64");
}

// crypto.fromBase64url(text). [text] -> [... bytes | nil reason]
static int from_base64url(lua_State *L)
{
    return decode_base64(L, BASE64_URL, "crypto.fromBase64url");
}

// crypto.hex(bytes). [data] -> [... text]
static int hex(lua_State *L)
{
    BridgeBytes data = check_bytes(L, 1, "crypto.hex", "the data");
    luaL_Buffer buffer;
    char *text = luaL_buffinitsize(L, &buffer, 2 * data.count);
    hex_encode(data.bytes, data.count, text);
    luaL_pushresultsize(&buffer, 2 * data.count);
    return 1;
}

// crypto.fromHex(text). [text] -> [... bytes | nil reason]
static int from_hex(lua_State *L)
{
    BridgeBytes text = check_bytes(L, 1, "crypto.fromHex", "the text");
    luaL_Buffer buffer;
    uint8_t *bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, text.count / 2);
    if (!hex_decode(text.bytes, text.count, bytes)) {
        return refuse(L, "invalid hexadecimal digits");
    }
    luaL_pushresultsize(&buffer, text.count / 2);
    return 1;
}

const luaL_Reg encoding_functions[] = {
    {"base64", base64},
    {"fromBase64", from_base64},
    {"base64url", base64url},
    {"fromBase64url", from_base64url},
    {"hex", hex},
    {"fromHex", from_hex},
    {NULL, NULL},
};
