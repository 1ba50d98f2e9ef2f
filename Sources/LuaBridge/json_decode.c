// Lua values from JSON (RFC 8259, strictly). A whole number is a Lua integer, null is json.null. Text that is not JSON is an answer, not an error: the
// parser returns false and says why and where. Only a lack of memory raises, and then nothing is owned here.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct Parser {
    lua_State *L;
    const char *start;
    const char *next;
    const char *end;    // there is a zero behind it
    const char *problem;
    int depth;
} Parser;

static bool parse_value(Parser *p);

static bool fail(Parser *p, const char *problem)
{
    p->problem = problem;
    return false;
}

static void skip_space(Parser *p)
{
    while (*p->next == ' ' || *p->next == '\n' || *p->next == '\t' || *p->next == '\r') {
        p->next += 1;
    }
}

static bool parse_word(Parser *p, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(p->next, word, length) != 0) {
        return fail(p, "expected a value");
    }
    p->next += length;
    return true;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool skip_digits(Parser *p)
{
    if (!is_digit(*p->next)) {
        return fail(p, "expected a digit");
    }
    while (is_digit(*p->next)) {
        p->next += 1;
    }
    return true;
}

// [] -> [number]
static void push_number(Parser *p, const char *from, bool is_whole)
{
    if (is_whole) {
        errno = 0;
        long long integer = strtoll(from, NULL, 10);
        if (errno == 0) {
            lua_pushinteger(p->L, integer);
            return;
        }
    }
    double number = strtod(from, NULL);
    if (number == floor(number) && fabs(number) < 9007199254740992.0) {
        lua_pushinteger(p->L, (lua_Integer)number);
    } else {
        lua_pushnumber(p->L, number);
    }
}

// [] -> [number]
static bool parse_number(Parser *p)
{
    const char *from = p->next;
    bool is_whole = true;
    p->next += *p->next == '-';
    if (*p->next == '0') {
        p->next += 1;
    } else if (!skip_digits(p)) {
        return fail(p, "expected a value");
    }
    if (*p->next == '.') {
        is_whole = false;
        p->next += 1;
        if (!skip_digits(p)) {
            return false;
        }
    }
    if (*p->next == 'e' || *p->next == 'E') {
        is_whole = false;
        p->next += 1;
        p->next += *p->next == '+' || *p->next == '-';
        if (!skip_digits(p)) {
            return false;
        }
    }
    push_number(p, from, is_whole);
    return true;
}

static int hex_digit(char byte)
{
    return is_digit(byte)                  ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

// The four digits of \uXXXX, -1 when they are not there.
static int32_t parse_hex(Parser *p)
{
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*p->next);
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
        p->next += 1;
    }
    return unit;
}

static void add_scalar(BridgeStrings *text, int32_t scalar)
{
    char bytes[4];
    size_t count = 0;
    if (scalar < 0x80) {
        bytes[count++] = (char)scalar;
    } else if (scalar < 0x800) {
        bytes[count++] = (char)(0xC0 | scalar >> 6);
        bytes[count++] = (char)(0x80 | (scalar & 0x3F));
    } else if (scalar < 0x10000) {
        bytes[count++] = (char)(0xE0 | scalar >> 12);
        bytes[count++] = (char)(0x80 | (scalar >> 6 & 0x3F));
        bytes[count++] = (char)(0x80 | (scalar & 0x3F));
    } else {
        bytes[count++] = (char)(0xF0 | scalar >> 18);
        bytes[count++] = (char)(0x80 | (scalar >> 12 & 0x3F));
        bytes[count++] = (char)(0x80 | (scalar >> 6 & 0x3F));
        bytes[count++] = (char)(0x80 | (scalar & 0x3F));
    }
    strings_add(text, bytes, count);
}

// \uXXXX, or two of them for a character above U+FFFF.
static bool parse_unicode(Parser *p, BridgeStrings *text)
{
    int32_t unit = parse_hex(p);
    if (unit < 0) {
        return fail(p, "expected four hexadecimal digits");
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
        if (p->next[0] != '\\' || p->next[1] != 'u') {
            return fail(p, "half of a surrogate pair");
        }
        p->next += 2;
        int32_t low = parse_hex(p);
        if (low < 0xDC00 || low > 0xDFFF) {
            return fail(p, "half of a surrogate pair");
        }
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    } else if (unit >= 0xDC00 && unit < 0xE000) {
        return fail(p, "half of a surrogate pair");
    }
    add_scalar(text, unit);
    return true;
}

static bool parse_escape(Parser *p, BridgeStrings *text)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char letter = *p->next;
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    if (found != NULL) {
        p->next += 1;
        strings_add(text, &meanings[found - letters], 1);
        return true;
    }
    if (letter != 'u') {
        return fail(p, "unknown escape in a string");
    }
    p->next += 1;
    return parse_unicode(p, text);
}

static bool is_plain(char byte)
{
    return byte != '"' && byte != '\\' && (unsigned char)byte >= 0x20;
}

// A string that has escapes: put together in the bridge's own memory. [] -> [string]
static bool parse_escaped(Parser *p, const char *from)
{
    BridgeStrings *text = &bridge_of(p->L)->text;
    strings_reset(text);
    strings_add(text, from, (size_t)(p->next - from));
    while (*p->next == '\\') {
        p->next += 1;
        if (!parse_escape(p, text)) {
            return false;
        }
        from = p->next;
        while (is_plain(*p->next)) {
            p->next += 1;
        }
        strings_add(text, from, (size_t)(p->next - from));
    }
    if (*p->next != '"') {
        return fail(p, p->next >= p->end ? "a string has no end" : "a control character in a string");
    }
    strings_check(p->L, text);
    lua_pushlstring(p->L, text->bytes, text->count);
    return true;
}

// [] -> [string]
static bool parse_string(Parser *p)
{
    const char *from = ++p->next;
    while (is_plain(*p->next)) {
        p->next += 1;
    }
    if (*p->next == '"') {
        lua_pushlstring(p->L, from, (size_t)(p->next - from));
    } else if (!parse_escaped(p, from)) {
        return false;
    }
    p->next += 1;
    return true;
}

// [] -> [table]
static bool parse_array(Parser *p)
{
    lua_newtable(p->L);
    p->next += 1;
    skip_space(p);
    if (*p->next == ']') {
        p->next += 1;
        return true;
    }
    for (lua_Integer i = 1;; i++) {
        if (!parse_value(p)) {
            return false;
        }
        lua_rawseti(p->L, -2, i);
        skip_space(p);
        if (*p->next == ']') {
            p->next += 1;
            return true;
        }
        if (*p->next != ',') {
            return fail(p, "expected ',' or ']'");
        }
        p->next += 1;
    }
}

// [table] -> [table]
static bool parse_member(Parser *p)
{
    skip_space(p);
    if (*p->next != '"') {
        return fail(p, "expected a string as key");
    }
    if (!parse_string(p)) {
        return false;
    }
    skip_space(p);
    if (*p->next != ':') {
        return fail(p, "expected ':'");
    }
    p->next += 1;
    if (!parse_value(p)) {
        return false;
    }
    lua_rawset(p->L, -3);
    return true;
}

// [] -> [table]
static bool parse_object(Parser *p)
{
    lua_newtable(p->L);
    p->next += 1;
    skip_space(p);
    if (*p->next == '}') {
        p->next += 1;
        return true;
    }
    while (parse_member(p)) {
        skip_space(p);
        if (*p->next == '}') {
            p->next += 1;
            return true;
        }
        if (*p->next != ',') {
            return fail(p, "expected ',' or '}'");
        }
        p->next += 1;
    }
    return false;
}

// [] -> [table]
static bool parse_nested(Parser *p)
{
    if (p->depth == json_depth) {
        return fail(p, "nested more than 64 deep");
    }
    luaL_checkstack(p->L, 4, NULL);
    p->depth += 1;
    bool parsed = *p->next == '[' ? parse_array(p) : parse_object(p);
    p->depth -= 1;
    return parsed;
}

// [] -> [value]
static bool parse_value(Parser *p)
{
    skip_space(p);
    switch (*p->next) {
    case '{':
    case '[':
        return parse_nested(p);
    case '"':
        return parse_string(p);
    case 't':
        lua_pushboolean(p->L, true);
        return parse_word(p, "true");
    case 'f':
        lua_pushboolean(p->L, false);
        return parse_word(p, "false");
    case 'n':
        lua_pushlightuserdata(p->L, NULL);
        return parse_word(p, "null");
    default:
        return parse_number(p);
    }
}

// Decodes text that has a zero behind it, as every Lua string has. [...] -> [... value], or [... rest] and false with the reason
bool json_decode(lua_State *L, const char *bytes, size_t count, char *why, size_t why_size)
{
    Parser p = {.L = L, .start = bytes, .next = bytes, .end = bytes + count};
    bool parsed = is_utf8(bytes, count) ? parse_value(&p) : fail(&p, "not valid UTF-8");
    if (parsed) {
        skip_space(&p);
        if (p.next == p.end) {
            return true;
        }
        fail(&p, "expected nothing more");
    }
    if (p.next >= p.end && *bytes != '\0') {
        snprintf(why, why_size, "invalid JSON: %s, but the text ends", p.problem);
    } else {
        snprintf(why, why_size, "invalid JSON: %s at byte %d", p.problem, (int)(p.next - bytes) + 1);
    }
    return false;
}
