// The search for a text in another, for string.find without magic. A short text is left to the C library, in pieces. A
// long one may be hard to find, so it is searched for with the two-way algorithm (Crochemore and Perrin, 1991), which
// takes time in proportion to both texts and no memory, and here checks the budget on its way.
#define _GNU_SOURCE // memmem
#include <string.h>

#include "libraries.h"
#include "Watchdog/watchdog.h"

enum {
    most_tries = 64,
    most_compared = 1 << 16,
    longest_short = 4096,
    piece = 1 << 16, // bytes between two checks of the budget
};

typedef struct Search {
    lua_State *L;
    size_t left; // comparisons until the next check of the budget
} Search;

// [...] -> [...]
static inline void count_one(Search *s)
{
    if (s->left-- == 0) {
        s->left = piece;
        check_killed(s->L);
    }
}

// The start of the largest suffix of the text, by the order of bytes or the opposite one, and its period.
// [...] -> [...]
static size_t largest_suffix(Search *s, const unsigned char *text, size_t length, bool reversed, size_t *period)
{
    size_t start = 0; // of the largest suffix so far
    size_t other = 1; // of the suffix that it is compared with
    size_t same = 0;  // bytes that the two suffixes have in common
    *period = 1;
    while (other + same < length) {
        count_one(s);
        unsigned char ours = text[start + same];
        unsigned char theirs = text[other + same];
        if (ours == theirs) {
            same++;
            if (same == *period) {
                other += same;
                same = 0;
            }
        } else if ((theirs < ours) != reversed) {
            other += same + 1;
            same = 0;
            *period = other - start;
        } else {
            start = other++;
            same = 0;
            *period = 1;
        }
    }
    return start;
}

// Whether a text's first bytes come again after `distance` bytes. [...] -> [...]
static bool repeats(Search *s, const unsigned char *text, size_t count, size_t distance, size_t length)
{
    if (count + distance > length) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        count_one(s);
        if (text[i] != text[i + distance]) {
            return false;
        }
    }
    return true;
}

// [...] -> [...]
static const char *find_long(Search *s, const char *in, size_t count, const char *what, size_t length)
{
    const unsigned char *next = (const unsigned char *)in;
    const unsigned char *text = (const unsigned char *)what;
    size_t period;
    size_t other_period;
    size_t middle = largest_suffix(s, text, length, false, &period);
    size_t other = largest_suffix(s, text, length, true, &other_period);
    if (other > middle) {
        middle = other;
        period = other_period;
    }
    size_t kept = 0; // bytes of the first part that still match after a step of one period
    if (repeats(s, text, middle, period, length)) {
        kept = length - period;
    } else {
        period = (middle > length - middle ? middle : length - middle) + 1;
    }
    size_t known = 0;
    for (const unsigned char *last = next + count - length; next <= last;) {
        size_t i = middle > known ? middle : known;
        for (; i < length && text[i] == next[i]; i++) {
            count_one(s);
        }
        count_one(s);
        if (i < length) {
            next += i - middle + 1;
            known = 0;
            continue;
        }
        for (i = middle; i > known && text[i - 1] == next[i - 1]; i--) {
            count_one(s);
        }
        if (i <= known) {
            return (const char *)next;
        }
        next += period;
        known = kept;
    }
    return NULL;
}

// [...] -> [...]
static const char *find_short(lua_State *L, const char *next, size_t count, const char *text, size_t length)
{
    while (count >= length) {
        size_t window = count < piece + length ? count : piece + length;
        const char *found = memmem(next, window, text, length);
        if (found != NULL || window == count) {
            return found;
        }
        check_killed(L);
        next += window - length + 1;
        count -= window - length + 1;
    }
    return NULL;
}

// The first place of the text, NULL if there is none. The first few candidate places are tried one by one, which is
// fast for typical texts. [...] -> [...]
const char *find_text(lua_State *L, const char *next, size_t count, const char *text, size_t length)
{
    if (length == 0 || length > count) {
        return length == 0 ? next : NULL;
    }
    size_t tries = most_compared / length + 1;
    for (tries = tries < most_tries ? tries : most_tries; tries > 0; tries--) {
        const char *found = memchr(next, *text, count - length + 1);
        if (found == NULL || memcmp(found, text, length) == 0) {
            return found;
        }
        count -= (size_t)(found + 1 - next);
        next = found + 1;
        if (length > count) {
            return NULL;
        }
    }
    if (length <= longest_short) {
        return find_short(L, next, count, text, length);
    }
    Search search = {.L = L, .left = piece};
    return find_long(&search, next, count, text, length);
}
