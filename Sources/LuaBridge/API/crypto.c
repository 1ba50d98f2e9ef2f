// The table `crypto`: digests, random bytes and encodings, by OpenSSL's libcrypto. Results are written to the C stack
// or to a buffer that Lua owns, so no memory is held where Lua can raise.
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "codec.h"
#include "signature.h"
#include "tables.h"
#include "Events/events.h"
#include "Watchdog/watchdog.h"

enum {
    random_limit = 64 * 1024,
    piece = 1 << 16,    // bytes that are digested between two checks of the budget
    most_block = 144,   // bytes of a block of any digest
};

typedef struct Digest {
    const char *name;
    const char *function;
    const EVP_MD *(*method)(void);
} Digest;

static const Digest digests[] = {
    {"sha256", "crypto.sha256", EVP_sha256},
    {"sha1", "crypto.sha1", EVP_sha1},
    {"sha384", "crypto.sha384", EVP_sha384},
    {"sha512", "crypto.sha512", EVP_sha512},
};

static const char *const digest_options[] = {"raw"};

// Whether the options ask for bytes instead of hexadecimal digits. [... options] -> [... options]
static bool wants_raw(lua_State *L, int index, const char *function)
{
    check_options(L, index, digest_options, LENGTH(digest_options), function);
    if (!lua_istable(L, index)) {
        return false;
    }
    lua_pushliteral(L, "raw");
    lua_rawget(L, index);
    bool raw = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return raw;
}

// [] -> [string]
static void push_digest(lua_State *L, const uint8_t *digest, size_t count, bool raw)
{
    if (raw) {
        lua_pushlstring(L, (const char *)digest, count);
        return;
    }
    char text[2 * EVP_MAX_MD_SIZE];
    hex_encode(digest, count, text);
    lua_pushlstring(L, text, 2 * count);
}

// Raises an error for a failure of OpenSSL. Its queue of errors is left empty, because TLS reads it.
// [] -> never returns
static int fail(lua_State *L, const char *function)
{
    ERR_clear_error();
    return luaL_error(L, "%s: OpenSSL refuses to do this here", function);
}

// Digests a prefix and data of any length. The bridge owns OpenSSL's state, because the event may be killed between two
// pieces. Raises if OpenSSL fails. [...] -> [...]
static unsigned digest_long(lua_State *L, const Digest *kind, BridgeBytes prefix, BridgeBytes data, uint8_t *value)
{
    Bridge *b = bridge_of(L);
    if (b->digest == NULL) {
        b->digest = EVP_MD_CTX_new();
    }
    bool done = b->digest != NULL && EVP_DigestInit_ex(b->digest, kind->method(), NULL) == 1
        && EVP_DigestUpdate(b->digest, prefix.bytes, prefix.count) == 1;
    for (size_t start = 0; done && start < data.count; start += piece) {
        size_t count = data.count - start < piece ? data.count - start : piece;
        done = EVP_DigestUpdate(b->digest, data.bytes + start, count) == 1;
        check_killed(L);
    }
    unsigned count = 0;
    if (!done || EVP_DigestFinal_ex(b->digest, value, &count) != 1) {
        fail(L, kind->function);
    }
    return count;
}

// HMAC (RFC 2104) of a long key or long data. [...] -> [...]
static void hmac_long(lua_State *L, const Digest *kind, BridgeBytes key, BridgeBytes data, uint8_t *value)
{
    size_t block = (size_t)EVP_MD_get_block_size(kind->method());
    uint8_t pad[most_block] = {0};
    if (key.count > block) {
        digest_long(L, kind, (BridgeBytes){"", 0}, key, pad);
    } else {
        memcpy(pad, key.bytes, key.count);
    }
    for (size_t i = 0; i < block; i++) {
        pad[i] ^= 0x36;
    }
    uint8_t inner[EVP_MAX_MD_SIZE];
    unsigned count = digest_long(L, kind, (BridgeBytes){(const char *)pad, block}, data, inner);
    for (size_t i = 0; i < block; i++) {
        pad[i] ^= 0x36 ^ 0x5C;
    }
    digest_long(
        L, kind, (BridgeBytes){(const char *)pad, block}, (BridgeBytes){(const char *)inner, count}, value);
    OPENSSL_cleanse(pad, sizeof pad);
}

// crypto.sha256(data, options) and the like; the upvalue is the digest's index. [data options] -> [... digest]
static int digest(lua_State *L)
{
    const Digest *kind = &digests[lua_tointeger(L, lua_upvalueindex(1))];
    BridgeBytes data = check_bytes(L, 1, kind->function, "the data");
    bool raw = wants_raw(L, 2, kind->function);
    uint8_t value[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    if (data.count > piece) {
        count = digest_long(L, kind, (BridgeBytes){"", 0}, data, value);
    } else if (EVP_Digest(data.bytes, data.count, value, &count, kind->method(), NULL) != 1) {
        return fail(L, kind->function);
    }
    push_digest(L, value, count, raw);
    return 1;
}

// [name ...] -> [name ...]
static const Digest *check_algorithm(lua_State *L, int index, const char *function)
{
    BridgeBytes name = check_bytes(L, index, function, "the algorithm");
    for (int i = 0; i < LENGTH(digests); i++) {
        if (strcmp(digests[i].name, name.bytes) == 0) {
            return &digests[i];
        }
    }
    luaL_error(L, "%s: there is no algorithm '%s'; take sha256, sha384, sha512 or sha1", function, name.bytes);
    return NULL;
}

// crypto.hmac(algorithm, key, data, options). [algorithm key data options] -> [... digest]
static int hmac(lua_State *L)
{
    const Digest *kind = check_algorithm(L, 1, "crypto.hmac");
    BridgeBytes key = check_bytes(L, 2, "crypto.hmac", "the key");
    BridgeBytes data = check_bytes(L, 3, "crypto.hmac", "the data");
    bool raw = wants_raw(L, 4, "crypto.hmac");
    uint8_t value[EVP_MAX_MD_SIZE];
    if (key.count > piece || data.count > piece) {
        hmac_long(L, kind, key, data, value);
    } else if (!hmac_of(kind->method(), key, data, value)) {
        return fail(L, "crypto.hmac");
    }
    push_digest(L, value, (size_t)EVP_MD_get_size(kind->method()), raw);
    return 1;
}

// crypto.random(count). [count] -> [... bytes]
static int random_bytes(lua_State *L)
{
    int is_integer;
    lua_Integer count = lua_tointegerx(L, 1, &is_integer);
    if (!is_integer || count < 0 || count > random_limit) {
        const char *given = push_as_text(L, 1, NULL);
        return luaL_error(L, "crypto.random: expected a number of bytes from 0 to %d, not %s", random_limit, given);
    }
    luaL_Buffer buffer;
    char *bytes = luaL_buffinitsize(L, &buffer, (size_t)count);
    if (RAND_bytes((uint8_t *)bytes, (int)count) != 1) {
        return fail(L, "crypto.random");
    }
    luaL_pushresultsize(&buffer, (size_t)count);
    return 1;
}

// crypto.uuid(version): version 4 is random, version 7 begins with the time and so sorts by it (RFC 9562).
// [version] -> [... string]
static int uuid(lua_State *L)
{
    int is_integer = true;
    lua_Integer version = lua_isnoneornil(L, 1) ? 4 : lua_tointegerx(L, 1, &is_integer);
    if (!is_integer || (version != 4 && version != 7)) {
        const char *given = push_as_text(L, 1, NULL);
        return luaL_error(L, "crypto.uuid: the version is 4 or 7, not %s", given);
    }
    uint8_t bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return fail(L, "crypto.uuid");
    }
    if (version == 7) {
        uint64_t milliseconds = (uint64_t)(time_now(bridge_of(L)) * 1000);
        for (int i = 0; i < 6; i++) {
            bytes[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
        }
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | version << 4);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    char text[36];
    char *next = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *next++ = '-';
        }
        hex_encode(&bytes[i], 1, next);
        next += 2;
    }
    lua_pushlstring(L, text, sizeof text);
    return 1;
}

// crypto.equal(a, b): takes as long for strings that differ early as for those that differ late.
// [a b] -> [... boolean]
static int equal(lua_State *L)
{
    BridgeBytes a = check_bytes(L, 1, "crypto.equal", "the first value");
    BridgeBytes b = check_bytes(L, 2, "crypto.equal", "the second value");
    int difference = a.count != b.count;
    size_t compared = a.count == b.count ? a.count : 0;
    for (size_t start = 0; start < compared; start += piece) {
        size_t count = compared - start < piece ? compared - start : piece;
        difference |= CRYPTO_memcmp(a.bytes + start, b.bytes + start, count);
        check_killed(L);
    }
    lua_pushboolean(L, difference == 0);
    return 1;
}

void push_crypto(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"hmac", hmac}, {"random", random_bytes}, {"uuid", uuid}, {"equal", equal}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    luaL_setfuncs(L, encoding_functions, 0);
    for (int i = 0; i < LENGTH(digests); i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, digest, 1);
        lua_setfield(L, -2, digests[i].name);
    }
    push_readonly(L, "crypto", true);
}
