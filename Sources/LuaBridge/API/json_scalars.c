// Numbers and strings of a JSON text. A whole number is a Lua integer if it fits in 64 bits, else a double. -0 is a
// double, because no integer is -0.
#include <math.h>
#include <stdlib.h>

#include "json.h"

enum {
    short_string = 256,  // bytes of a string with escapes that need no memory of the bridge
    exact_digits = 15,   // digits that every double can hold
    integer_digits = 18, // digits that every integer can hold
    most_digits = 4096,  // before or after the point: no double has as many
};

// --- numbers ---

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

// Skips digits, of which there must be at least one and at most most_digits. Never raises.
static bool skip_digits(Reader *r)
{
    const char *from = r->next;
    if (!is_digit(*from)) {
        return json_fail(r, from, "expected a digit");
    }
    while (is_digit(*r->next)) {
        if (++r->next - from > most_digits) {
            return json_fail(r, from, "a number has more than 4096 digits");
        }
    }
    return true;
}

// A whole number: an integer if it fits in 64 bits, else a double. [] -> [number]
static bool push_whole(Reader *r, const char *from, const char *digits)
{
    uint64_t size = 0;
    if (r->next - digits <= integer_digits) {
        for (const char *digit = digits; digit < r->next; digit++) {
            size = size * 10 + (uint64_t)(*digit - '0');
        }
        if (*from == '-' && size == 0) {
            lua_pushnumber(r->L, -0.0);
        } else {
            lua_pushinteger(r->L, *from == '-' ? -(lua_Integer)size : (lua_Integer)size);
        }
        return true;
    }
    bool fits = r->next - digits == integer_digits + 1;
    for (const char *digit = digits; fits && digit < r->next; digit++) {
        size = size * 10 + (uint64_t)(*digit - '0');
    }
    if (fits && size <= (uint64_t)LUA_MAXINTEGER + (*from == '-')) {
        lua_pushinteger(r->L, *from == '-' ? (lua_Integer)(0 - size) : (lua_Integer)size);
        return true;
    }
    double number = strtod(from, NULL);
    if (!isfinite(number)) {
        return json_fail(r, from, "the number is too large");
    }
    lua_pushnumber(r->L, number);
    return true;
}

// The double of a number with a point and without an exponent, if it has few digits: two integers that doubles hold
// exactly are divided with the right rounding. Never raises.
static bool divide(const char *digits, const char *end, double *number)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (end - digits > exact_digits + 1) {
        return false;
    }
    int64_t size = 0;
    int decimals = 0;
    for (bool behind = false; digits < end; digits++) {
        if (*digits == '.') {
            behind = true;
        } else {
            size = size * 10 + (*digits - '0');
            decimals += behind;
        }
    }
    *number = (double)size / powers[decimals];
    return true;
}

// A number with a fraction or an exponent; a whole one below 2^53 becomes an integer, save -0. [] -> [number]
static bool push_fraction(Reader *r, const char *from, const char *digits, bool has_exponent)
{
    double number;
    if (!has_exponent && divide(digits, r->next, &number)) {
        number = *from == '-' ? -number : number;
    } else {
        number = strtod(from, NULL);
    }
    if (!isfinite(number)) {
        return json_fail(r, from, "the number is too large");
    }
    bool is_negative_zero = number == 0 && signbit(number);
    if (fabs(number) < 9007199254740992.0 && number == floor(number) && !is_negative_zero) {
        lua_pushinteger(r->L, (lua_Integer)number);
    } else {
        lua_pushnumber(r->L, number);
    }
    return true;
}

// [] -> [number]
bool json_read_number(Reader *r)
{
    const char *from = r->next;
    r->next += *from == '-';
    const char *digits = r->next;
    if (!is_digit(*digits)) {
        return json_fail(r, from, "expected a value");
    }
    if (*digits == '0') {
        r->next++;
    } else if (!skip_digits(r)) {
        return false;
    }
    bool has_fraction = *r->next == '.';
    if (has_fraction) {
        r->next++;
        if (!skip_digits(r)) {
            return false;
        }
    }
    bool has_exponent = *r->next == 'e' || *r->next == 'E';
    if (has_exponent) {
        r->next++;
        r->next += *r->next == '+' || *r->next == '-';
        if (!skip_digits(r)) {
            return false;
        }
    }
    json_spend(r, (size_t)(r->next - from) / json_step);
    return has_fraction || has_exponent ? push_fraction(r, from, digits, has_exponent) : push_whole(r, from, digits);
}

// --- strings ---

// The quote that ends a string, which has an escape at `next`; NULL when none does. [...] -> [...]
static const char *string_end(Reader *r, const char *next)
{
    for (;;) {
        if (next >= r->end) {
            json_fail(r, r->end, "a string has no end");
            return NULL;
        }
        if (*next == '"') {
            return next;
        }
        if (*next != '\\') {
            json_fail(r, next, "a control character in a string");
            return NULL;
        }
        const char *from = next;
        next = next + 2 < r->end ? json_plain_end(next + 2, r->end) : r->end;
        json_spend(r, (size_t)(next - from) / json_step + 1);
    }
}

// A string that is not plain to its end, after `from`; `next` is where the plain text ends. [] -> [string]
static __attribute__((noinline)) bool read_escaped(Reader *r, const char *from, const char *next)
{
    char kept[short_string];
    char *to = kept;
    const char *end = string_end(r, next);
    if (end == NULL) {
        return false;
    }
    if (end - from > short_string) {
        BridgeStrings *text = &bridge_of(r->L)->text;
        strings_reset(text);
        strings_need(r->L, text, (size_t)(end - from));
        to = text->bytes;
    }
    const char *written = json_unescape(r, from, end, to);
    if (written == NULL) {
        return false;
    }
    lua_pushlstring(r->L, to, (size_t)(written - to));
    r->next = end + 1;
    return true;
}

// [] -> [string]
bool json_read_string(Reader *r)
{
    const char *from = r->next + 1;
    const char *next = json_plain_end(from, r->end);
    json_spend(r, (size_t)(next - from) / json_step);
    if (next == r->end || *next != '"') {
        return read_escaped(r, from, next);
    }
    lua_pushlstring(r->L, from, (size_t)(next - from));
    r->next = next + 1;
    return true;
}
