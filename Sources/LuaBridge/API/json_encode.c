// JSON from Lua values (RFC 8259). The text grows in memory of the bridge, counted against the limits, so that an error
// half way leaks nothing. Every value and every few bytes count as a step, so that a kill takes effect anywhere.
//
// A table whose keys are all positive integers is an array, with `null` for each missing one; an empty table and every
// other table is an object. No code of the script runs: tables are read raw, and read-only tables are replaced with the
// real ones.
#include <math.h>
#include <string.h>

#include "json.h"

enum {
    text_limit = 16 << 20,  // bytes of text
    longest_piece = 1 << 16, // bytes of a string that are written between two checks of the budget
    longest_sparse = 10,    // a list may be this long with any number of values; a longer one must be half full
};

typedef struct Writer {
    lua_State *L;
    BridgeStrings *text;
    char *next;
    char *end;
    int steps; // until the next check of the budget
} Writer;

static void write_value(Writer *w, int depth);

// [...] -> [...]
static inline void spend(Writer *w, int steps)
{
    w->steps -= steps;
    if (w->steps <= 0) {
        w->steps = json_slice;
        check_killed(w->L);
    }
}

// Makes the text's memory larger. [...] -> [...]
static void grow(Writer *w, size_t room)
{
    w->text->count = (size_t)(w->next - w->text->bytes);
    if (w->text->count + room > text_limit + json_number_room) {
        luaL_error(w->L, "JSON: the text would be longer than %d bytes", text_limit);
    }
    strings_need(w->L, w->text, room);
    w->next = w->text->bytes + w->text->count;
    w->end = w->text->bytes + w->text->capacity;
}

// [...] -> [...]
static inline void need(Writer *w, size_t room)
{
    if ((size_t)(w->end - w->next) < room) {
        grow(w, room);
    }
}

// A control character, a quote or a backslash; there is room for six bytes. Never raises.
static char *write_escape(char *to, char character)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btn\0fr"; // of 8 to 13
    *to++ = '\\';
    if (character == '"' || character == '\\') {
        *to++ = character;
    } else if (character >= 8 && character <= 13 && character != 11) {
        *to++ = letters[character - 8];
    } else {
        memcpy(to, "u00", 3);
        to[3] = hex[character >> 4];
        to[4] = hex[character & 15];
        to += 5;
    }
    return to;
}

// [...] -> [...]
static void write_string(Writer *w, const char *next, size_t count)
{
    const char *end = next + count;
    if (next != bridge_of(w->L)->received && !is_utf8_text(w->L, next, count)) {
        luaL_error(w->L, "JSON: a string is not valid UTF-8");
    }
    need(w, 2);
    *w->next++ = '"';
    while (next < end) {
        const char *limit = end - next > longest_piece ? next + longest_piece : end;
        const char *plain = json_plain_end(next, limit);
        size_t length = (size_t)(plain - next);
        need(w, length + 8);
        memcpy(w->next, next, length);
        w->next += length;
        next = plain;
        if (plain < limit) {
            w->next = write_escape(w->next, *next++);
        }
        spend(w, (int)(length / json_step) + 1);
    }
    need(w, 1);
    *w->next++ = '"';
}

// [...] -> [...]
static void write_number(Writer *w, int index)
{
    need(w, json_number_room);
    if (lua_isinteger(w->L, index)) {
        w->next = json_write_integer(w->next, lua_tointeger(w->L, index));
        return;
    }
    double number = lua_tonumber(w->L, index);
    if (!isfinite(number)) {
        luaL_error(w->L, "JSON: there is no infinity and no NaN");
    }
    w->next = json_write_double(w->next, number);
}

// [...] -> [...]
static void write_text(Writer *w, const char *text, size_t count)
{
    need(w, count);
    memcpy(w->next, text, count);
    w->next += count;
}

// Writes a number as a name; the table must not have the same name as a string key too.
// [table key value] -> [table key value]
static void write_number_key(Writer *w)
{
    write_text(w, "\"", 1);
    need(w, json_number_room);
    const char *name = w->next; // write_number needs no more room
    write_number(w, -2);
    lua_pushlstring(w->L, name, (size_t)(w->next - name));
    lua_pushvalue(w->L, -1);
    if (lua_rawget(w->L, -5) != LUA_TNIL) {
        luaL_error(
            w->L, "JSON: a table has the key %s twice, as a number and as a string", lua_tostring(w->L, -2));
    }
    lua_pop(w->L, 2);
    write_text(w, "\"", 1);
}

// [table key value] -> [table key value]
static void write_key(Writer *w)
{
    switch (lua_type(w->L, -2)) {
    case LUA_TSTRING: {
        size_t count;
        const char *bytes = lua_tolstring(w->L, -2, &count);
        write_string(w, bytes, count);
        break;
    }
    case LUA_TNUMBER:
        write_number_key(w);
        break;
    default:
        luaL_error(w->L, "JSON: a key must be a string or a number, not %s", luaL_typename(w->L, -2));
    }
    write_text(w, ":", 1);
}

// Writes the rest of an object, from the first member on. [table key value] -> [table]
static void write_object(Writer *w, int depth)
{
    write_text(w, "{", 1);
    bool is_first = true;
    do {
        if (!is_first) {
            write_text(w, ",", 1);
        }
        is_first = false;
        write_key(w);
        write_value(w, depth + 1);
        lua_pop(w->L, 1);
    } while (lua_next(w->L, -2) != 0);
    write_text(w, "}", 1);
}

// [table] -> [table]
static void write_array(Writer *w, lua_Integer length, int depth)
{
    write_text(w, "[", 1);
    for (lua_Integer i = 1; i <= length; i++) {
        if (i > 1) {
            write_text(w, ",", 1);
        }
        lua_rawgeti(w->L, -1, i);
        write_value(w, depth + 1);
        lua_pop(w->L, 1);
    }
    write_text(w, "]", 1);
}

// The length of the table as a list, 0 if it is no list. [table key value] -> [table]
static lua_Integer list_length(Writer *w)
{
    lua_Integer longest = 0;
    lua_Integer count = 0;
    do {
        lua_pop(w->L, 1);
        lua_Integer key = lua_isinteger(w->L, -1) ? lua_tointeger(w->L, -1) : 0;
        if (key < 1) {
            lua_pop(w->L, 1);
            return 0;
        }
        count += 1;
        longest = key > longest ? key : longest;
        spend(w, 1);
    } while (lua_next(w->L, -2) != 0);
    if (longest > longest_sparse && longest > 2 * count) {
        luaL_error(
            w->L, "JSON: a list has %I values but goes up to %I: too sparse", (LUAI_UACINT)count, (LUAI_UACINT)longest);
    }
    return longest;
}

// [table] -> [table]
static void write_table(Writer *w, int depth)
{
    lua_State *L = w->L;
    check_stack_left(L);
    if (depth == json_depth) {
        luaL_error(L, "JSON: tables are nested more than %d deep, or contain themselves", json_depth);
    }
    read_through(L, -1);
    lua_pushnil(L);
    if (lua_next(L, -2) == 0) {
        write_text(w, "{}", 2);
        return;
    }
    if (lua_type(L, -2) == LUA_TSTRING) { // then it is no list
        write_object(w, depth);
        return;
    }
    lua_Integer length = list_length(w);
    if (length > 0) {
        write_array(w, length, depth);
        return;
    }
    lua_pushnil(L);
    lua_next(L, -2);
    write_object(w, depth);
}

// [value] -> [value]
static void write_value(Writer *w, int depth)
{
    spend(w, 1);
    switch (lua_type(w->L, -1)) {
    case LUA_TSTRING: {
        size_t count;
        const char *bytes = lua_tolstring(w->L, -1, &count);
        write_string(w, bytes, count);
        return;
    }
    case LUA_TNUMBER:
        write_number(w, -1);
        return;
    case LUA_TTABLE:
        write_table(w, depth);
        return;
    case LUA_TBOOLEAN:
        if (lua_toboolean(w->L, -1)) {
            write_text(w, "true", 4);
        } else {
            write_text(w, "false", 5);
        }
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(w->L, -1) != NULL) {
            break;
        }
        write_text(w, "null", 4);
        return;
    case LUA_TNIL:
        write_text(w, "null", 4);
        return;
    default:
        break;
    }
    luaL_error(w->L, "JSON: a %s cannot be encoded", luaL_typename(w->L, -1));
}

// Encodes the value at `index`; the earlier content of the text is dropped. [...] -> [...]
void json_encode(lua_State *L, int index, BridgeStrings *text)
{
    luaL_checkstack(L, 3 * json_depth + 10, NULL);
    lua_pushvalue(L, index);
    strings_reset(text);
    Writer w = {.L = L, .text = text, .steps = json_slice};
    w.next = text->bytes;
    w.end = text->bytes + text->capacity;
    need(&w, json_number_room);
    write_value(&w, 0);
    text->count = (size_t)(w.next - text->bytes);
    if (text->count > text_limit) {
        luaL_error(L, "JSON: the text would be longer than %d bytes", text_limit);
    }
    lua_pop(L, 1);
}
