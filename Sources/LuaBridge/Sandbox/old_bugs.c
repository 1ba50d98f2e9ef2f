// Bugs of Lua before 5.4.7, the version of Debian 12, that scripts can trigger by accident:
//
// - A __concat in a concatenation of several parts may move the coroutine's stack, and the rest of the concatenation
//   then reads freed memory. So __concat is refused when a file is loaded and in setmetatable, and has no effect if a
//   metatable gets it afterwards: see metamethods.c.
// - Coroutines that close one another overflow the C stack, because each counts its C calls from zero. The bridge
//   checks the stack itself, with any version of the library: see ../State/stack.c.
// - When memory is short, a write that a weak metatable passes on may find its target collected. So a metatable cannot
//   be weak itself, and only setmetatable can make a table weak.
//
// With a newer library nothing is refused.
#define _GNU_SOURCE // memmem
#include <string.h>

#include "sandbox.h"

static const char concat[] = "__concat";

bool has_old_bugs(void)
{
    extern const char lua_ident[];
    int release = 0;
    const char *version = strstr(lua_ident, "Lua 5.4.");
    for (const char *digit = version == NULL ? "" : version + 8; *digit >= '0' && *digit <= '9'; digit++) {
        release = release * 10 + (*digit - '0');
    }
    return version != NULL && release < 7;
}

// Takes a piece of a compiled chunk; each constant is a separate piece. Never raises.
static int find_constant(lua_State *L, const void *piece, size_t count, void *found)
{
    (void)L;
    if (count == sizeof concat - 1 && memcmp(piece, concat, count) == 0) {
        *(bool *)found = true;
    }
    return 0;
}

// The first line of the source in which the name stands outside of a comment; 1 if it is not written literally.
static int line_of(const BridgeSource *source, const char *name)
{
    int line = 1;
    const char *end = source->bytes + source->count;
    for (const char *start = source->bytes; start < end; line++) {
        const char *line_end = memchr(start, '\n', (size_t)(end - start));
        line_end = line_end == NULL ? end : line_end;
        const char *comment = memmem(start, (size_t)(line_end - start), "--", 2);
        size_t count = (size_t)((comment == NULL ? line_end : comment) - start);
        if (memmem(start, count, name, strlen(name)) != NULL) {
            return line;
        }
        start = line_end + 1;
    }
    return 1;
}

// Raises if a chunk has a constant "__concat"; the source gives the line. [chunk] -> [chunk]
void refuse_old_bugs(lua_State *L, const BridgeSource *source)
{
    bool found = false;
    if (!bridge_of(L)->has_old_bugs || lua_dump(L, find_constant, &found, 1) != 0 || !found) {
        return;
    }
    BridgeText version;
    bridgeLuaVersion(&version);
    lua_pushlstring(L, (const char *)version.bytes, (size_t)version.count);
    luaL_error(
        L, "%s:%d: %s is not safe in %s, which may misread its operands; use a method instead", source->file,
        line_of(source, concat), concat, lua_tostring(L, -1));
}
