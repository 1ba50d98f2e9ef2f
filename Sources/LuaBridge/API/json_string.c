// The inside of JSON strings: the search for the end of plain text, eight bytes at a time, and the reading of escapes.
#include <stdint.h>
#include <string.h>

#include "json.h"

static const uint64_t ones = 0x0101010101010101u;
static const uint64_t highs = 0x8080808080808080u;

// Whether one of eight bytes is a control character, a quote or a backslash. May also be true when none is.
static bool has_special(uint64_t word)
{
    uint64_t quote = word ^ ones * '"';
    uint64_t backslash = word ^ ones * '\\';
    uint64_t found = ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    return (found & highs) != 0;
}

static bool is_special(char character)
{
    return (unsigned char)character < 0x20 || character == '"' || character == '\\';
}

// The first byte that is a control character, a quote or a backslash. Never raises.
const char *json_plain_end(const char *next, const char *end)
{
    uint64_t word;
    while (end - next >= 8 && (memcpy(&word, next, 8), !has_special(word))) {
        next += 8;
    }
    while (next < end && !is_special(*next)) {
        next++;
    }
    return next;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The value of the four hexadecimal digits at `next`, negative if there are none.
static int32_t hex_unit(const char *next, const char *end)
{
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = next + i < end ? hex_digit(next[i]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

static char *write_scalar(char *to, int32_t scalar)
{
    if (scalar < 0x80) {
        *to++ = (char)scalar;
        return to;
    }
    if (scalar < 0x800) {
        *to++ = (char)(0xC0 | scalar >> 6);
    } else {
        if (scalar < 0x10000) {
            *to++ = (char)(0xE0 | scalar >> 12);
        } else {
            *to++ = (char)(0xF0 | scalar >> 18);
            *to++ = (char)(0x80 | (scalar >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (scalar >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (scalar & 0x3F));
    return to;
}

// Reads the text after "\u": four digits, or a surrogate, another "\u" and the other half. NULL for anything else.
static const char *read_unicode(const char *next, const char *end, char **to, const char **problem)
{
    int32_t scalar = hex_unit(next, end);
    if (scalar < 0) {
        *problem = "\\u needs four hexadecimal digits";
        return NULL;
    }
    next += 4;
    if (scalar >= 0xD800 && scalar <= 0xDFFF) {
        bool follows = scalar < 0xDC00 && end - next >= 6 && next[0] == '\\' && next[1] == 'u';
        int32_t low = follows ? hex_unit(next + 2, end) : -1;
        if (low < 0xDC00 || low > 0xDFFF) {
            *problem = "half of a surrogate pair";
            return NULL;
        }
        scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00);
        next += 6;
    }
    *to = write_scalar(*to, scalar);
    return next;
}

// Writes the text between two quotes with its escapes replaced, which never makes it longer. Returns its end, NULL if
// an escape is wrong. No memory is owned when a kill raises. [...] -> [...]
char *json_unescape(Reader *r, const char *next, const char *end, char *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    while (next < end) {
        const char *limit = end - next > json_piece ? next + json_piece : end;
        const char *escape = memchr(next, '\\', (size_t)(limit - next));
        size_t plain = (size_t)((escape == NULL ? limit : escape) - next);
        memcpy(to, next, plain);
        to += plain;
        json_spend(r, plain / json_step + 1);
        if (escape == NULL) {
            next = limit;
            continue;
        }
        const char *letter = memchr(letters, escape[1], sizeof letters - 1);
        if (letter != NULL) {
            *to++ = meanings[letter - letters];
            next = escape + 2;
            continue;
        }
        const char *problem = "no such escape";
        next = escape[1] == 'u' ? read_unicode(escape + 2, end, &to, &problem) : NULL;
        if (next == NULL) {
            json_fail(r, escape, problem);
            return NULL;
        }
    }
    return to;
}
