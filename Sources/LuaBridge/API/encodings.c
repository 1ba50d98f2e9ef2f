// The encodings in the table `crypto`: Base64 and hexadecimal digits. The result is written into a buffer that Lua
// owns.
#include "codec.h"
#include "tables.h"
#include "Events/events.h"
#include "Watchdog/watchdog.h"

enum { piece = 48 << 10 }; // bytes between two checks of the budget, whole groups of either encoding

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
    size_t written = 0;
    for (; data.count > piece; data.bytes += piece, data.count -= piece) {
        written += base64_encode(data.bytes, piece, text + written, alphabet);
        check_killed(L);
    }
    written += base64_encode(data.bytes, data.count, text + written, alphabet);
    luaL_pushresultsize(&buffer, written);
    return 1;
}

// [text] -> [... bytes | nil reason]
static int decode_base64(lua_State *L, Base64Alphabet alphabet, const char *function)
{
    BridgeBytes text = check_bytes(L, 1, function, "the text");
    luaL_Buffer buffer;
    uint8_t *bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, base64_bytes_room(text.count));
    size_t written = 0;
    size_t count = 0;
    bool is_valid = true;
    for (; is_valid && text.count > piece; text.bytes += piece, text.count -= piece) {
        is_valid = text.bytes[piece - 1] != '=' && base64_decode(text.bytes, piece, alphabet, bytes + written, &count);
        written += count;
        check_killed(L);
    }
    if (!is_valid || !base64_decode(text.bytes, text.count, alphabet, bytes + written, &count)) {
        return refuse(L, "invalid Base64");
    }
    luaL_pushresultsize(&buffer, written + count);
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
    for (size_t start = 0; start < data.count; start += piece) {
        size_t count = data.count - start < piece ? data.count - start : piece;
        hex_encode(data.bytes + start, count, text + 2 * start);
        check_killed(L);
    }
    luaL_pushresultsize(&buffer, 2 * data.count);
    return 1;
}

// crypto.fromHex(text). [text] -> [... bytes | nil reason]
static int from_hex(lua_State *L)
{
    BridgeBytes text = check_bytes(L, 1, "crypto.fromHex", "the text");
    luaL_Buffer buffer;
    uint8_t *bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, text.count / 2);
    for (size_t start = 0; start < text.count; start += piece) {
        size_t count = text.count - start < piece ? text.count - start : piece;
        if (!hex_decode(text.bytes + start, count, bytes + start / 2)) {
            return refuse(L, "invalid hexadecimal digits");
        }
        check_killed(L);
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
