// jwt.sign: a table of claims becomes a signed token.
#include <string.h>

#include "codec.h"
#include "jwt.h"
#include "tables.h"
#include "Events/events.h"

static const char *const options[] = {"alg", "kid", "expiresIn"};

// Adds an integer claim in front of a JSON object's closing brace.
static void add_claim(BridgeStrings *json, const char *name, lua_Integer value)
{
    char claim[64];
    bool first = json->count == 2;
    json->count--;
    int count = snprintf(claim, sizeof claim, "%s\"%s\":%lld}", first ? "" : ",", name, (long long)value);
    strings_add(json, claim, (size_t)count);
}

// Whether the claims contain this one already. [...] -> [...]
static bool has_claim(lua_State *L, const char *name)
{
    bool has = jwt_option(L, 1, name) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

// Puts the claims, with the times if they are wanted, as JSON on the stack. [claims ...] -> [claims ... json]
static void push_claims(lua_State *L, double lifetime)
{
    Bridge *b = bridge_of(L);
    bool has_issue = lifetime > 0 && has_claim(L, "iat");
    if (lifetime > 0 && has_claim(L, "exp")) {
        luaL_error(L, "jwt.sign: the claims have 'exp' already; leave out expiresIn");
    }
    json_encode(L, 1, &b->text);
    if (b->text.count < 2 || b->text.bytes[0] != '{') {
        luaL_error(L, "jwt.sign: the claims must be a table with names, not a list");
    }
    if (lifetime > 0) {
        lua_Integer now = (lua_Integer)time_now(b);
        if (!has_issue) {
            add_claim(&b->text, "iat", now);
        }
        add_claim(&b->text, "exp", now + (lua_Integer)lifetime);
        strings_check(L, &b->text);
    }
    lua_pushlstring(L, b->text.bytes, b->text.count);
    strings_trim(&b->text);
}

// Puts the header as JSON on the stack; the options lie at 3. [... ] -> [... json]
static void push_header(lua_State *L, SignatureAlgorithm algorithm)
{
    Bridge *b = bridge_of(L);
    const char *name = jwt_algorithm_names[algorithm];
    if (jwt_option(L, 3, "kid") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushfstring(L, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", name);
        return;
    }
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) > longest_kid) {
        luaL_error(L, "jwt.sign: kid must be a string of at most %d bytes", longest_kid);
    }
    json_encode(L, lua_gettop(L), &b->text);
    lua_pushlstring(L, b->text.bytes, b->text.count);
    lua_pushfstring(L, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":%s}", name, lua_tostring(L, -1));
}

// The `alg` among the options, which must be there. [...] -> [...]
static SignatureAlgorithm check_algorithm(lua_State *L)
{
    int algorithm = jwt_option(L, 3, "alg") == LUA_TSTRING ? jwt_algorithm_named(lua_tostring(L, -1)) : -1;
    if (algorithm < 0) {
        luaL_error(L, "jwt.sign: alg must be \"HS256\", \"RS256\", \"ES256\" or \"EdDSA\"");
    }
    lua_pop(L, 1);
    return (SignatureAlgorithm)algorithm;
}

// Seconds for which the token is valid, 0 for no end. [...] -> [...]
static double check_lifetime(lua_State *L)
{
    double lifetime = 0;
    if (jwt_option(L, 3, "expiresIn") != LUA_TNIL) {
        lifetime = check_seconds(L, lua_gettop(L), "jwt.sign");
        if (lifetime < 1) {
            luaL_error(L, "jwt.sign: expiresIn must be at least 1 second");
        }
    }
    lua_pop(L, 1);
    return lifetime;
}

// Appends a part of the token. Never raises.
static size_t add_part(char *token, size_t count, const void *bytes, size_t length)
{
    return count + base64_encode(bytes, length, token + count, BASE64_URL);
}

// jwt.sign(claims, key, options). [claims key options] -> [... token | nil reason]
int jwt_sign(lua_State *L)
{
    Bridge *b = bridge_of(L);
    lua_settop(L, 3);
    if (!lua_istable(L, 1)) {
        return luaL_error(L, "jwt.sign: the claims must be a table, not %s", luaL_typename(L, 1));
    }
    read_through(L, 1);
    BridgeBytes key = check_bytes(L, 2, "jwt.sign", "the key");
    check_options(L, 3, options, LENGTH(options), "jwt.sign");
    SignatureAlgorithm algorithm = check_algorithm(L);
    push_claims(L, check_lifetime(L));
    push_header(L, algorithm);
    if (!key_fits(&b->keys, key, algorithm)) {
        return jwt_refuse(L, "key");
    }
    BridgeBytes claims;
    BridgeBytes header;
    claims.bytes = lua_tolstring(L, 4, &claims.count);
    header.bytes = lua_tolstring(L, -1, &header.count);
    luaL_Buffer buffer;
    size_t room = base64_text_room(header.count) + base64_text_room(claims.count)
        + base64_text_room(longest_signature) + 2;
    if (room > longest_token) {
        return luaL_error(L, "jwt.sign: the claims are too long for a token of %d bytes", longest_token);
    }
    char *token = luaL_buffinitsize(L, &buffer, room);
    size_t count = add_part(token, 0, header.bytes, header.count);
    token[count++] = '.';
    count = add_part(token, count, claims.bytes, claims.count);
    uint8_t signature[longest_signature];
    size_t length = signature_make(&b->keys, key, algorithm, (BridgeBytes){token, count}, signature);
    if (length == 0) {
        return jwt_refuse(L, "key");
    }
    token[count++] = '.';
    luaL_pushresultsize(&buffer, add_part(token, count, signature, length));
    return 1;
}
