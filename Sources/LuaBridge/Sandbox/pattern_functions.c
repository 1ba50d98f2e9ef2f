// string.find, match, gmatch and gsub over our own matcher. Their arguments, results and errors are as in the stock
// library.
//
// Read next: patterns.c, text_search.c.
#include <string.h>

#include "libraries.h"
#include "patterns.h"
#include "Watchdog/watchdog.h"

enum { piece = 1 << 16 }; // bytes between two checks of the budget

// The offset at which an `init` starts the search, from 0; it may lie beyond the subject. [...] -> [...]
static size_t start_offset(lua_State *L, int index, size_t count)
{
    lua_Integer init = luaL_optinteger(L, index, 1);
    if (init > 0) {
        return (size_t)init - 1;
    }
    return init == 0 || init < -(lua_Integer)count ? 0 : count + (size_t)init;
}

// Magic characters; ")" is magic only after one of them.
static const bool is_magic[256] = {
    ['$'] = true, ['%'] = true, ['('] = true, ['*'] = true, ['+'] = true,
    ['-'] = true, ['.'] = true, ['?'] = true, ['['] = true, ['^'] = true,
};

// [...] -> [...]
static bool is_plain(lua_State *L, const char *pattern, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i % piece == 0) {
            check_killed(L);
        }
        if (is_magic[(unsigned char)pattern[i]]) {
            return false;
        }
    }
    return true;
}

// A search without magic. [...] -> [... first last | nil]
static int find_plain(lua_State *L, const char *subject, size_t count, size_t offset, const char *text, size_t length)
{
    const char *found = find_text(L, subject + offset, count - offset, text, length);
    if (found == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, (lua_Integer)(found - subject) + 1);
    lua_pushinteger(L, (lua_Integer)(found - subject) + (lua_Integer)length);
    return 2;
}

// [subject pattern init plain] -> [... values...]
static int search(lua_State *L, bool find)
{
    size_t count;
    size_t length;
    const char *subject = luaL_checklstring(L, 1, &count);
    const char *pattern = luaL_checklstring(L, 2, &length);
    size_t offset = start_offset(L, 3, count);
    if (offset > count) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || is_plain(L, pattern, length))) {
        return find_plain(L, subject, count, offset, pattern, length);
    }
    bool anchored = length > 0 && *pattern == '^';
    pattern += anchored;
    Matcher matcher;
    matcher_init(&matcher, L, subject, count, pattern, length - anchored);
    for (const char *start = subject + offset; start <= matcher.subject_end; start++) {
        start = anchored ? start : matcher_skip(&matcher, start, pattern);
        const char *end = matcher_try(&matcher, start, pattern);
        if (end != NULL && find) {
            lua_pushinteger(L, (lua_Integer)(start - subject) + 1);
            lua_pushinteger(L, (lua_Integer)(end - subject));
            return 2 + push_captures(&matcher, NULL, NULL);
        }
        if (end != NULL) {
            return push_captures(&matcher, start, end);
        }
        if (anchored) {
            break;
        }
    }
    lua_pushnil(L);
    return 1;
}

// string.find(s, pattern, init, plain)
static int string_find(lua_State *L)
{
    return search(L, true);
}

// string.match(s, pattern, init)
static int string_match(lua_State *L)
{
    return search(L, false);
}

// The state of a gmatch: offsets in the subject. `last` is the end of the last match, -1 before the first.
typedef struct Walk {
    size_t next;
    ptrdiff_t last;
} Walk;

// The upvalues are the subject, the pattern and the walk. [] -> [values... | nothing]
static int next_match(lua_State *L)
{
    size_t count;
    size_t length;
    const char *subject = lua_tolstring(L, lua_upvalueindex(1), &count);
    const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &length);
    Walk *walk = lua_touserdata(L, lua_upvalueindex(3));
    if (walk->next > count) {
        return 0; // without noticing a mistake in the pattern
    }
    Matcher matcher;
    matcher_init(&matcher, L, subject, count, pattern, length);
    for (const char *start = subject + walk->next; start <= matcher.subject_end; start++) {
        start = matcher_skip(&matcher, start, pattern);
        const char *end = matcher_try(&matcher, start, pattern);
        if (end != NULL && end - subject != walk->last) {
            walk->last = end - subject;
            walk->next = (size_t)walk->last;
            return push_captures(&matcher, start, end);
        }
    }
    walk->next = count + 1;
    return 0;
}

// string.gmatch(s, pattern, init). [subject pattern init] -> [... iterator]
static int string_gmatch(lua_State *L)
{
    size_t count;
    luaL_checklstring(L, 1, &count);
    luaL_checkstring(L, 2);
    size_t offset = start_offset(L, 3, count);
    lua_settop(L, 2);
    Walk *walk = lua_newuserdatauv(L, sizeof *walk, 0);
    *walk = (Walk){offset > count ? count + 1 : offset, -1};
    lua_pushcclosure(L, next_match, 3);
    return 1;
}

// Adds the replacement text with its "%1" filled in. [... buffer] -> [... buffer]
static void add_template(Matcher *m, luaL_Buffer *buffer, const char *start, const char *end)
{
    size_t count;
    const char *text = lua_tolstring(m->L, 3, &count);
    const char *text_end = text + count;
    const char *sign;
    while ((sign = memchr(text, '%', (size_t)(text_end - text))) != NULL) {
        matcher_spend(m, 1);
        luaL_addlstring(buffer, text, (size_t)(sign - text));
        char what = sign + 1 == text_end ? '\0' : sign[1];
        if (what == '%') {
            luaL_addchar(buffer, '%');
        } else if (what == '0') {
            luaL_addlstring(buffer, start, (size_t)(end - start));
        } else if (what >= '1' && what <= '9') {
            push_capture(m, what - '1', start, end);
            luaL_addvalue(buffer);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
        text = sign + 2;
    }
    luaL_addlstring(buffer, text, (size_t)(text_end - text));
}

// Adds the replacement of the match; false if the match stays as it is. [... buffer] -> [... buffer]
static bool add_replacement(Matcher *m, luaL_Buffer *buffer, const char *start, const char *end, int type)
{
    lua_State *L = m->L;
    check_stack_left(L);
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, start, end), 1);
    } else if (type == LUA_TTABLE) {
        push_capture(m, 0, start, end);
        lua_gettable(L, 3);
    } else {
        add_template(m, buffer, start, end);
        return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(buffer, start, (size_t)(end - start));
        return false;
    }
    if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    luaL_addvalue(buffer);
    return true;
}

// Replaces in the whole subject; the number of matches is in `*found`. The result is left on top.
// [subject pattern replacement most] -> [... string]
static void replace_all(Matcher *m, const char *pattern, bool anchored, int type, lua_Integer most, lua_Integer *found)
{
    lua_State *L = m->L;
    const char *next = m->subject;
    const char *last = NULL;
    bool changed = false;
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    while (*found < most) {
        const char *start = anchored ? next : matcher_skip(m, next, pattern);
        luaL_addlstring(&buffer, next, (size_t)(start - next));
        next = start;
        const char *end = matcher_try(m, start, pattern);
        if (end != NULL && end != last) {
            *found += 1;
            changed |= add_replacement(m, &buffer, start, end, type);
            next = last = end;
        } else if (next < m->subject_end) {
            luaL_addchar(&buffer, *next++);
        } else {
            break;
        }
        if (anchored) {
            break;
        }
    }
    if (!changed) {
        lua_pushvalue(L, 1);
        return;
    }
    luaL_addlstring(&buffer, next, (size_t)(m->subject_end - next));
    luaL_pushresult(&buffer);
}

// string.gsub(s, pattern, replacement, most). [...] -> [... string count]
static int string_gsub(lua_State *L)
{
    size_t count;
    size_t length;
    const char *subject = luaL_checklstring(L, 1, &count);
    const char *pattern = luaL_checklstring(L, 2, &length);
    int type = lua_type(L, 3);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)count + 1);
    luaL_argexpected(
        L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
        "string/function/table");
    lua_Integer found = 0;
    if (most <= 0) {
        lua_pushvalue(L, 1);
    } else {
        bool anchored = length > 0 && *pattern == '^';
        pattern += anchored;
        Matcher matcher;
        matcher_init(&matcher, L, subject, count, pattern, length - anchored);
        replace_all(&matcher, pattern, anchored, type, most, &found);
    }
    lua_pushinteger(L, found);
    return 2;
}

// Puts the functions into the string library. [string] -> [string]
void patterns_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gsub", string_gsub}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
