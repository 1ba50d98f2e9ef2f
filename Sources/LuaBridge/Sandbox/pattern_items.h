// A single item of a pattern: a character, a class or a set, and the test whether a byte of the subject matches it. It
// is in a header so that the matcher, which tests each byte, has it inline.
//
// Read next: patterns.c.
#ifndef PERIGEE_PATTERN_ITEMS_H
#define PERIGEE_PATTERN_ITEMS_H

#include <string.h>

#include "patterns.h"
#include "Watchdog/watchdog.h"

enum {
    slice = 1024,  // steps
    long_set = 32, // bytes of a set whose comparison counts as another step
    stretch = 4096, // characters of a run that are examined between two counts
};

static void pause(Matcher *m)
{
    m->steps = slice;
    check_killed(m->L);
}

// Counts work that took as long as about this many steps.
static inline void spend(Matcher *m, ptrdiff_t steps)
{
    if (steps >= m->steps) {
        pause(m);
    } else {
        m->steps -= (int)steps;
    }
}

enum { space = 1, control = 2, punctuation = 4, digit = 8, upper = 16, lower = 32, hexadecimal = 64, zero = 128 };

// The kind of each byte in the C locale.
static const uint8_t kinds[256] = {
    [0] = control | zero,
    [1 ... 8] = control,
    [9 ... 13] = control | space,
    [14 ... 31] = control,
    [' '] = space,
    ['!' ... '/'] = punctuation,
    ['0' ... '9'] = digit | hexadecimal,
    [':' ... '@'] = punctuation,
    ['A' ... 'F'] = upper | hexadecimal,
    ['G' ... 'Z'] = upper,
    ['[' ... '`'] = punctuation,
    ['a' ... 'f'] = lower | hexadecimal,
    ['g' ... 'z'] = lower,
    ['{' ... '~'] = punctuation,
    [127] = control,
};

// The kinds of the class of each letter; none if the letter is no class.
static const uint8_t classes[26] = {
    ['a' - 'a'] = upper | lower,
    ['c' - 'a'] = control,
    ['d' - 'a'] = digit,
    ['g' - 'a'] = upper | lower | digit | punctuation,
    ['l' - 'a'] = lower,
    ['p' - 'a'] = punctuation,
    ['s' - 'a'] = space,
    ['u' - 'a'] = upper,
    ['w' - 'a'] = upper | lower | digit,
    ['x' - 'a'] = hexadecimal,
    ['z' - 'a'] = zero,
};

// Whether a byte matches "%letter": a class, the complement of a class, or the character itself.
static inline bool in_class(unsigned char byte, unsigned char letter)
{
    unsigned index = (letter | 32u) - 'a';
    if (index >= 26 || classes[index] == 0) {
        return byte == letter;
    }
    bool is_member = (kinds[byte] & classes[index]) != 0;
    return is_member == ((letter & 32) != 0);
}

// Whether a byte is in the set between `next` and `end`, which are inside the brackets.
static bool in_set(unsigned char byte, const char *next, const char *end)
{
    bool listed = *next != '^';
    for (next += !listed; next < end; next++) {
        unsigned char first = (unsigned char)*next;
        if (first == '%') {
            next++;
            if (in_class(byte, (unsigned char)*next)) {
                return listed;
            }
        } else if (next[1] == '-' && next + 2 < end) {
            next += 2;
            if (first <= byte && byte <= (unsigned char)*next) {
                return listed;
            }
        } else if (first == byte) {
            return listed;
        }
    }
    return !listed;
}

// The end of the set that begins after `next`. The first character after "[" or "[^" is a member, even if it is "]".
static const char *set_end(Matcher *m, const char *next)
{
    const char *start = next;
    if (*next == '^') {
        next++;
    }
    do {
        if (next == m->pattern_end) {
            luaL_error(m->L, "malformed pattern (missing ']')");
        }
        next += *next == '%' && next + 1 < m->pattern_end ? 2 : 1;
    } while (*next != ']');
    if (next - start > long_set) {
        spend(m, (next - start) / long_set);
    }
    return next + 1;
}

// The end of the item at `item`.
static inline const char *item_end(Matcher *m, const char *item)
{
    if (*item == '%') {
        if (item + 1 == m->pattern_end) {
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        }
        return item + 2;
    }
    return *item == '[' ? set_end(m, item + 1) : item + 1;
}

// Whether the item matches the character at `at`.
static inline bool item_matches(Matcher *m, const char *at, const char *item, const char *end)
{
    if (at >= m->subject_end) {
        return false;
    }
    switch (*item) {
    case '.':
        return true;
    case '%':
        return in_class((unsigned char)*at, (unsigned char)item[1]);
    case '[':
        if (end - item > long_set) {
            spend(m, (end - item) / long_set);
        }
        return in_set((unsigned char)*at, item + 1, end - 1);
    default:
        return *at == *item;
    }
}

// The first character from `next` on for which the item's match differs from `skipped`; the subject's end if there is
// none.
static inline const char *skip_while(Matcher *m, const char *next, const char *item, const char *end, bool skipped)
{
    while (next < m->subject_end) {
        const char *start = next;
        const char *pause_at = m->subject_end - next > stretch ? next + stretch : m->subject_end;
        while (next < pause_at && item_matches(m, next, item, end) == skipped) {
            next++;
        }
        spend(m, (next - start) / 8);
        if (next < pause_at) {
            break;
        }
    }
    return next;
}

// The end of the longest run of characters that the item matches.
static const char *run_end(Matcher *m, const char *at, const char *item, const char *end)
{
    return *item == '.' ? m->subject_end : skip_while(m, at, item, end, true);
}

#endif
