// Lua values from JSON (RFC 8259, strictly). Text that is not JSON is no error: the result names the line and the byte
// of the mistake. Only a lack of memory and a kill raise, and no memory is owned here then.
//
// The first values of a list or an object are kept on the stack until their number is known, so that a small table is
// made once, in the right size.
#include <stdio.h>
#include <string.h>

#include "json.h"

enum { kept_values = 16 };

static bool read_value(Reader *r);

// [...] -> [...]
static __attribute__((noinline)) void skip_spaces(Reader *r)
{
    const char *from = r->next;
    while (*r->next == ' ' || *r->next == '\n' || *r->next == '\r' || *r->next == '\t') {
        if (++r->next - from == json_piece) {
            json_spend(r, json_piece / json_step);
            from = r->next;
        }
    }
    json_spend(r, (size_t)(r->next - from) / json_step);
}

// [...] -> [...]
static inline void skip_space(Reader *r)
{
    if ((unsigned char)*r->next <= ' ') {
        skip_spaces(r);
    }
}

// Replaces the value at `table` with a table of the values above it. [... nil values] -> [... table]
static void make_list(Reader *r, int table, int count, int size)
{
    lua_createtable(r->L, size, 0);
    lua_replace(r->L, table);
    for (int i = count; i > 0; i--) {
        lua_rawseti(r->L, table, i);
    }
}

// [] -> [table]
static bool read_list(Reader *r)
{
    lua_State *L = r->L;
    lua_pushnil(L);
    int table = lua_gettop(L);
    lua_Integer count = 0;
    for (;;) {
        if (!read_value(r)) {
            return false;
        }
        count++;
        if (count == kept_values) {
            make_list(r, table, kept_values, 2 * kept_values);
        } else if (count > kept_values) {
            lua_rawseti(L, table, count);
        }
        skip_space(r);
        if (*r->next != ',') {
            break;
        }
        r->next++;
    }
    if (*r->next != ']') {
        return json_fail(r, r->next, "expected ',' or ']'");
    }
    r->next++;
    if (count < kept_values) {
        make_list(r, table, (int)count, (int)count);
    }
    return true;
}

// Like make_list. Of two values with the same key the later one counts. [... nil keys-and-values] -> [... table]
static void make_object(Reader *r, int table, int count, int size)
{
    lua_State *L = r->L;
    lua_createtable(L, 0, size);
    lua_replace(L, table);
    for (int i = 0; i < count; i++) {
        lua_pushvalue(L, table + 2 * i + 1);
        lua_pushvalue(L, table + 2 * i + 2);
        lua_rawset(L, table);
    }
    lua_settop(L, table);
}

// [] -> [key value]
static bool read_member(Reader *r)
{
    skip_space(r);
    if (*r->next != '"') {
        return json_fail(r, r->next, "expected a string as the name of a member");
    }
    if (!json_read_string(r)) {
        return false;
    }
    skip_space(r);
    if (*r->next != ':') {
        return json_fail(r, r->next, "expected ':'");
    }
    r->next++;
    return read_value(r);
}

// [] -> [table]
static bool read_object(Reader *r)
{
    lua_State *L = r->L;
    lua_pushnil(L);
    int table = lua_gettop(L);
    int count = 0;
    for (;;) {
        if (!read_member(r)) {
            return false;
        }
        if (count < kept_values / 2) {
            count++;
            if (count == kept_values / 2) {
                make_object(r, table, count, kept_values);
            }
        } else {
            lua_rawset(L, table);
        }
        skip_space(r);
        if (*r->next != ',') {
            break;
        }
        r->next++;
    }
    if (*r->next != '}') {
        return json_fail(r, r->next, "expected ',' or '}'");
    }
    r->next++;
    if (count < kept_values / 2) {
        make_object(r, table, count, count);
    }
    return true;
}

// [] -> [table]
static bool read_table(Reader *r)
{
    check_stack_left(r->L);
    if (r->depth == json_depth) {
        return json_fail(r, r->next, "nested more than 64 deep");
    }
    char closing = *r->next == '[' ? ']' : '}';
    r->next++;
    skip_space(r);
    if (*r->next == closing) {
        r->next++;
        lua_newtable(r->L);
        return true;
    }
    luaL_checkstack(r->L, kept_values + 8, NULL);
    r->depth++;
    bool is_read = closing == ']' ? read_list(r) : read_object(r);
    r->depth--;
    return is_read;
}

// [] -> []
static bool read_word(Reader *r, const char *word, size_t count)
{
    if (strncmp(r->next, word, count) != 0) {
        return json_fail(r, r->next, "expected a value");
    }
    r->next += count;
    return true;
}

// [] -> [value]
static bool read_value(Reader *r)
{
    json_spend(r, 1);
    skip_space(r);
    switch (*r->next) {
    case '{':
    case '[':
        return read_table(r);
    case '"':
        return json_read_string(r);
    case 't':
        lua_pushboolean(r->L, true);
        return read_word(r, "true", 4);
    case 'f':
        lua_pushboolean(r->L, false);
        return read_word(r, "false", 5);
    case 'n':
        lua_pushlightuserdata(r->L, NULL);
        return read_word(r, "null", 4);
    default:
        return json_read_number(r);
    }
}

// The line of a place in the text, from 1. [...] -> [...]
static size_t line_of(const Reader *r, const char *place)
{
    size_t line = 1;
    for (const char *next = r->start; next < place;) {
        const char *limit = place - next > json_piece ? next + json_piece : place;
        for (; next < limit; next++) {
            line += *next == '\n';
        }
        check_killed(r->L);
    }
    return line;
}

// Writes the mistake and its place: line and byte from 1. [...] -> [...]
static void describe(const Reader *r, char *why, size_t why_size)
{
    snprintf(
        why, why_size, "invalid JSON: line %zu, byte %zu: %s%s", line_of(r, r->next),
        (size_t)(r->next - r->start) + 1, r->problem, r->next == r->end ? ", but the text ends" : "");
}

// Decodes text that ends with a zero, as every Lua string does; false with the reason if it is not JSON. Of several
// mistakes, invalid UTF-8 included, the first is reported. [...] -> [... value], when false [...]
bool json_decode(lua_State *L, const char *bytes, size_t count, char *why, size_t why_size)
{
    int top = lua_gettop(L);
    Reader r = {.L = L, .start = bytes, .next = bytes, .end = bytes + count, .steps = json_slice};
    size_t valid = bytes == bridge_of(L)->received ? count : utf8_prefix_text(L, bytes, count);
    bool is_read = read_value(&r);
    if (is_read) {
        skip_space(&r);
        is_read = r.next == r.end || json_fail(&r, r.next, "expected nothing more");
    }
    if (valid < count && (is_read || r.next >= bytes + valid)) {
        is_read = json_fail(&r, bytes + valid, "not valid UTF-8");
    }
    strings_trim(&bridge_of(L)->text);
    if (!is_read) {
        lua_settop(L, top);
        describe(&r, why, why_size);
    }
    return is_read;
}
