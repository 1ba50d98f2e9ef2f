// The table `jwt`: JSON Web Tokens (RFC 7519) in the compact form (RFC 7515), signed with HS256, RS256, ES256 or EdDSA.
//
// The caller names the algorithms that it accepts, and the key must fit the token's algorithm: a token cannot choose
// how it is checked. The signature is checked before the claims are read. For every fault of a token the result is
// `nil` and a fixed reason; only the script's own mistakes raise.
#include <string.h>

#include "codec.h"
#include "jwt.h"
#include "tables.h"
#include "Events/events.h"

enum {
    default_leeway = 5, // seconds
    longest_list = 32,  // of accepted issuers or audiences
};

const char *const jwt_algorithm_names[signature_algorithms] = {
    [SIGNATURE_HS256] = "HS256",
    [SIGNATURE_RS256] = "RS256",
    [SIGNATURE_ES256] = "ES256",
    [SIGNATURE_EDDSA] = "EdDSA",
};

static const char *const options[] = {"alg", "iss", "aud", "leeway"};

// A token in its parts, still encoded.
typedef struct Token {
    BridgeBytes header;
    BridgeBytes claims;
    BridgeBytes signature;
    BridgeBytes data; // the signed bytes
} Token;

int jwt_algorithm_named(const char *name)
{
    for (int i = 0; i < signature_algorithms; i++) {
        if (strcmp(jwt_algorithm_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

int jwt_option(lua_State *L, int index, const char *name)
{
    if (!lua_istable(L, index)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    lua_pushstring(L, name);
    return lua_rawget(L, index);
}

int jwt_refuse(lua_State *L, const char *reason)
{
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
}

// --- the caller's options ---

// Adds the algorithm on top to a set. [name] -> [name]
static unsigned accept_algorithm(lua_State *L, unsigned accepted)
{
    int algorithm = lua_type(L, -1) == LUA_TSTRING ? jwt_algorithm_named(lua_tostring(L, -1)) : -1;
    if (algorithm < 0) {
        luaL_error(L, "jwt.verify: alg must be \"HS256\", \"RS256\", \"ES256\" or \"EdDSA\", or a list of these");
    }
    return accepted | 1u << algorithm;
}

// The set of algorithms that the caller pins. [...] -> [...]
static unsigned check_algorithms(lua_State *L)
{
    unsigned accepted = 0;
    if (jwt_option(L, 3, "alg") == LUA_TTABLE) {
        read_through(L, -1);
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= count && i <= longest_list; i++) {
            lua_rawgeti(L, -1, i);
            accepted = accept_algorithm(L, accepted);
            lua_pop(L, 1);
        }
    } else {
        accepted = accept_algorithm(L, accepted);
    }
    if (accepted == 0) {
        luaL_error(L, "jwt.verify: alg is an empty list");
    }
    lua_pop(L, 1);
    return accepted;
}

// Seconds by which clocks may differ. [...] -> [...]
static double check_leeway(lua_State *L)
{
    double leeway = default_leeway;
    if (jwt_option(L, 3, "leeway") != LUA_TNIL) {
        leeway = check_seconds(L, lua_gettop(L), "jwt.verify");
    }
    lua_pop(L, 1);
    return leeway;
}

// Leaves the option, a string or a list of strings, on the stack. [...] -> [... option]
static void check_names(lua_State *L, const char *option)
{
    int type = jwt_option(L, 3, option);
    read_through(L, -1);
    bool fine = type == LUA_TNIL || type == LUA_TSTRING || type == LUA_TTABLE;
    lua_Integer count = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    fine = fine && count <= longest_list && (type != LUA_TTABLE || count > 0);
    for (lua_Integer i = 1; fine && i <= count; i++) {
        fine = lua_rawgeti(L, -1, i) == LUA_TSTRING;
        lua_pop(L, 1);
    }
    if (!fine) {
        luaL_error(L, "jwt.verify: %s must be a string, or a list of 1 to %d strings", option, longest_list);
    }
}

// --- the token ---

// Splits at the dots; there must be two. Never raises.
static bool split(BridgeBytes text, Token *token)
{
    const char *end = text.bytes + text.count;
    const char *first = memchr(text.bytes, '.', text.count);
    if (first == NULL) {
        return false;
    }
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL) {
        return false;
    }
    token->header = (BridgeBytes){text.bytes, (size_t)(first - text.bytes)};
    token->claims = (BridgeBytes){first + 1, (size_t)(second - first - 1)};
    token->signature = (BridgeBytes){second + 1, (size_t)(end - second - 1)};
    token->data = (BridgeBytes){text.bytes, (size_t)(second - text.bytes)};
    return true;
}

// Decodes a part: Base64 without padding (RFC 7515, 2). Never raises.
static bool decode(BridgeBytes part, uint8_t *bytes, size_t *count)
{
    return (part.count == 0 || part.bytes[part.count - 1] != '=')
        && base64_decode(part.bytes, part.count, BASE64_URL, bytes, count);
}

// Pushes the JSON object that a part encodes. [] -> [object], when false [junk]
static bool push_object(lua_State *L, BridgeBytes part)
{
    uint8_t json[longest_token / 4 * 3 + 4];
    char why[160];
    size_t count;
    if (!decode(part, json, &count)) {
        return false;
    }
    json[count] = '\0';
    size_t start = 0;
    while (start < count && strchr(" \t\r\n", json[start]) != NULL && json[start] != '\0') {
        start++;
    }
    return start < count && json[start] == '{' && json_decode(L, (const char *)json, count, why, sizeof why);
}

// The algorithm in the header on top, negative if it is not accepted. [header] -> [header]
static int token_algorithm(lua_State *L, unsigned accepted)
{
    int algorithm = jwt_option(L, lua_gettop(L), "alg") == LUA_TSTRING ? jwt_algorithm_named(lua_tostring(L, -1)) : -1;
    lua_pop(L, 1);
    return algorithm >= 0 && (accepted & 1u << algorithm) != 0 ? algorithm : -1;
}

// Whether the header on top names critical extensions; none is supported. [header] -> [header]
static bool is_critical(lua_State *L)
{
    bool found = jwt_option(L, lua_gettop(L), "crit") != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

// The reason for which the signature does not hold, NULL if it holds. [] -> [junk]
static const char *check_signature(lua_State *L, const Token *token, BridgeBytes key, unsigned accepted)
{
    Bridge *b = bridge_of(L);
    uint8_t signature[longest_signature + 3];
    size_t count;
    if (!push_object(L, token->header)) {
        return "malformed";
    }
    int algorithm = token_algorithm(L, accepted);
    if (algorithm < 0) {
        return "algorithm";
    }
    if (is_critical(L)) {
        return "critical extension";
    }
    if (!key_fits(&b->keys, key, (SignatureAlgorithm)algorithm)) {
        return "key";
    }
    if (base64_bytes_room(token->signature.count) > sizeof signature || !decode(token->signature, signature, &count)) {
        return "signature";
    }
    BridgeBytes given = {(const char *)signature, count};
    bool valid = signature_verify(&b->keys, key, (SignatureAlgorithm)algorithm, token->data, given);
    return valid ? NULL : "signature";
}

// --- the claims ---

// Reads a time; false for a value of another type. If it is absent, `seconds` is unchanged. [claims] -> [claims]
static bool read_time(lua_State *L, const char *name, double *seconds)
{
    int type = jwt_option(L, lua_gettop(L), name);
    if (type == LUA_TNUMBER) {
        *seconds = lua_tonumber(L, -1);
    }
    lua_pop(L, 1);
    return type == LUA_TNUMBER || type == LUA_TNIL;
}

// The reason for which the claims on top do not hold at this time, NULL if they hold. [claims] -> [claims]
static const char *check_times(lua_State *L, double leeway)
{
    double now = time_now(bridge_of(L));
    double expiry = now + leeway + 1;
    double start = now;
    double issue = now;
    if (!read_time(L, "exp", &expiry) || !read_time(L, "nbf", &start) || !read_time(L, "iat", &issue)) {
        return "malformed";
    }
    if (now - leeway >= expiry) {
        return "expired";
    }
    if (now + leeway < start) {
        return "not yet valid";
    }
    return now + leeway < issue ? "issued in the future" : NULL;
}

// Whether a string equals the option, or is in its list. [...] -> [...]
static bool is_among(lua_State *L, int value, int option)
{
    bool found = lua_rawequal(L, value, option);
    lua_Integer count = lua_istable(L, option) ? (lua_Integer)lua_rawlen(L, option) : 0;
    for (lua_Integer i = 1; !found && i <= count; i++) {
        lua_rawgeti(L, option, i);
        found = lua_rawequal(L, value, -1);
        lua_pop(L, 1);
    }
    return found;
}

// Whether the option at `option` accepts a name in the claim on top. Only "aud" may be a list of names.
// [claim] -> [claim]
static bool names_accepted(lua_State *L, int option, bool may_be_list)
{
    int claim = lua_gettop(L);
    if (lua_type(L, claim) == LUA_TSTRING) {
        return is_among(L, claim, option);
    }
    bool found = false;
    lua_Integer count = may_be_list && lua_istable(L, claim) ? (lua_Integer)lua_rawlen(L, claim) : 0;
    for (lua_Integer i = 1; !found && i <= count; i++) {
        found = lua_rawgeti(L, claim, i) == LUA_TSTRING && is_among(L, lua_gettop(L), option);
        lua_pop(L, 1);
    }
    return found;
}

// The reason for which the claims on top do not hold for this caller, NULL if they hold; the options "iss" and "aud"
// lie at 4 and 5. [claims] -> [claims]
static const char *check_claims(lua_State *L, double leeway)
{
    int claims = lua_gettop(L);
    const char *problem = check_times(L, leeway);
    if (problem == NULL && !lua_isnil(L, 4)) {
        jwt_option(L, claims, "iss");
        problem = names_accepted(L, 4, false) ? NULL : "issuer";
    }
    if (problem == NULL && !lua_isnil(L, 5)) {
        jwt_option(L, claims, "aud");
        problem = names_accepted(L, 5, true) ? NULL : "audience";
    }
    lua_settop(L, claims);
    return problem;
}

// jwt.verify(token, key, options). [token key options] -> [... claims | nil reason]
static int verify(lua_State *L)
{
    lua_settop(L, 3);
    check_options(L, 3, options, LENGTH(options), "jwt.verify");
    unsigned accepted = check_algorithms(L);
    double leeway = check_leeway(L);
    check_names(L, "iss");
    check_names(L, "aud");
    BridgeBytes key = check_bytes(L, 2, "jwt.verify", "the key");
    if (lua_isnil(L, 1)) {
        return jwt_refuse(L, "missing");
    }
    BridgeBytes text = check_bytes(L, 1, "jwt.verify", "the token");
    Token token;
    if (text.count > longest_token) {
        return jwt_refuse(L, "too long");
    }
    if (!split(text, &token)) {
        return jwt_refuse(L, "malformed");
    }
    const char *problem = check_signature(L, &token, key, accepted);
    if (problem == NULL && !push_object(L, token.claims)) {
        problem = "malformed";
    }
    if (problem == NULL) {
        problem = check_claims(L, leeway);
    }
    return problem == NULL ? 1 : jwt_refuse(L, problem);
}

void push_jwt(lua_State *L)
{
    static const luaL_Reg functions[] = {{"verify", verify}, {"sign", jwt_sign}, {NULL, NULL}};
    luaL_newlib(L, functions);
    push_readonly(L, "jwt", true);
}
