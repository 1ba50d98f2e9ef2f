// Byte strings that pass between Swift and Lua. The bridge owns their memory and keeps it from one call to the next, so
// an error in Lua leaks nothing and the common case allocates nothing.
#include <string.h>

#include "memory.h"
#include "Watchdog/watchdog.h"

enum {
    kept_capacity = 64 * 1024,
    piece = 1 << 16, // bytes of text between two checks of the budget
};

// Forgets the content. Never raises.
void strings_reset(BridgeStrings *strings)
{
    strings->count = 0;
    strings->failed = false;
}

// Gives back all memory. Never raises.
void strings_release(BridgeStrings *strings)
{
    bridge_allocate(strings->bridge, strings->bytes, strings->capacity, 0);
    strings->bytes = NULL;
    strings->capacity = 0;
    strings->count = 0;
}

// Gives back the memory of an unusually large text. Never raises.
void strings_trim(BridgeStrings *strings)
{
    if (strings->capacity > kept_capacity) {
        strings_release(strings);
    }
}

static bool make_room(BridgeStrings *strings, size_t more)
{
    size_t needed = strings->count + more;
    if (needed <= strings->capacity) {
        return true;
    }
    size_t capacity = strings->capacity < 256 ? 256 : strings->capacity * 2;
    size_t most = strings->bridge->block_limit;
    if (most > 0 && capacity > most) {
        capacity = most;
    }
    capacity = needed > capacity ? needed : capacity;
    char *moved = bridge_allocate(strings->bridge, strings->bytes, strings->capacity, capacity);
    if (moved == NULL) {
        strings->failed = true;
        return false;
    }
    strings->bytes = moved;
    strings->capacity = capacity;
    return true;
}

// Appends raw bytes. Never raises: a lack of memory is remembered for strings_check.
void strings_add(BridgeStrings *strings, const void *bytes, size_t count)
{
    if (!strings->failed && count > 0 && make_room(strings, count)) {
        memcpy(strings->bytes + strings->count, bytes, count);
        strings->count += count;
    }
}

void bridgeStringsAppend(BridgeStrings *strings, const void *bytes, size_t count)
{
    size_t start = strings->count;
    strings_add(strings, &count, sizeof count);
    strings_add(strings, bytes, count);
    if (strings->failed) {
        strings->count = start;
    }
}

const char *bridgeStringsNext(const BridgeStrings *strings, size_t *offset, size_t *count)
{
    if (*offset + sizeof *count > strings->count) {
        return NULL;
    }
    memcpy(count, strings->bytes + *offset, sizeof *count);
    const char *found = strings->bytes + *offset + sizeof *count;
    *offset += sizeof *count + *count;
    return found;
}

void bridgeTextSet(BridgeText *text, const void *bytes, size_t count)
{
    size_t kept = count < sizeof text->bytes ? count : sizeof text->bytes;
    if (kept > 0) {
        memcpy(text->bytes, bytes, kept);
    }
    text->count = (int32_t)kept;
}

// Makes room for `room` more bytes, after a collection if that may help. [...] -> [...]
void strings_need(lua_State *L, BridgeStrings *strings, size_t room)
{
    if (make_room(strings, room)) {
        return;
    }
    if (bridge_of(L)->refusal == refusal_memory && collect_if_grown(L)) {
        strings->failed = false;
        make_room(strings, room);
    }
    strings_check(L, strings);
}

// Raises if an append found no memory. [] -> []
void strings_check(lua_State *L, BridgeStrings *strings)
{
    if (strings->failed) {
        strings_reset(strings);
        luaL_error(L, "not enough memory");
    }
}

// The length of the UTF-8 sequence at `bytes`, 0 when it is malformed (RFC 3629: shortest form, no surrogates, at most
// U+10FFFF).
static size_t sequence_length(const unsigned char *bytes, size_t count)
{
    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || length > count) {
        return 0;
    }
    unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < length; i++) {
        if (bytes[i] < lowest || bytes[i] > highest) {
            return 0;
        }
        lowest = 0x80;
        highest = 0xBF;
    }
    return length;
}

// The first byte that is not ASCII, searched for thirty-two and then eight bytes at a time; the result may be up to
// seven bytes early.
static const unsigned char *skip_ascii(const unsigned char *next, const unsigned char *end)
{
    const uint64_t high_bits = 0x8080808080808080u;
    uint64_t words[4];
    while (end - next >= 32) {
        memcpy(words, next, 32);
        if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0) {
            break;
        }
        next += 32;
    }
    while (end - next >= 8 && (memcpy(words, next, 8), (words[0] & high_bits) == 0)) {
        next += 8;
    }
    return next;
}

// The number of valid bytes of UTF-8 before the first invalid one. Never raises.
static size_t utf8_prefix(const char *bytes, size_t count)
{
    const unsigned char *next = (const unsigned char *)bytes;
    const unsigned char *end = next + count;
    while ((next = skip_ascii(next, end)) < end) {
        size_t length = sequence_length(next, (size_t)(end - next));
        if (length == 0) {
            break;
        }
        next += length;
    }
    return (size_t)((const char *)next - bytes);
}

// Whether the bytes are valid UTF-8. Never raises.
bool is_utf8(const char *bytes, size_t count)
{
    return utf8_prefix(bytes, count) == count;
}

// utf8_prefix for a text of any length: between its pieces the event may be killed. [...] -> [...]
size_t utf8_prefix_text(lua_State *L, const char *bytes, size_t count)
{
    size_t valid = 0;
    while (count - valid > piece) {
        size_t length = piece;
        while (length > piece - 4 && (bytes[valid + length] & 0xC0) == 0x80) {
            length--;
        }
        size_t prefix = utf8_prefix(bytes + valid, length);
        valid += prefix;
        if (prefix < length) {
            return valid;
        }
        check_killed(L);
    }
    return valid + utf8_prefix(bytes + valid, count - valid);
}

// is_utf8 for a text of any length. [...] -> [...]
bool is_utf8_text(lua_State *L, const char *bytes, size_t count)
{
    return utf8_prefix_text(L, bytes, count) == count;
}
