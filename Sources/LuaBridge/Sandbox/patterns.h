// The matcher behind string.find, match, gmatch and gsub: patterns.c matches, pattern_functions.c is what scripts call.
#ifndef PERIGEE_BRIDGE_PATTERNS_H
#define PERIGEE_BRIDGE_PATTERNS_H

#include "State/state.h"

enum {
    pattern_captures = 32,
    open_capture = -1,     // length of a capture whose ")" has not come yet
    position_capture = -2, // length of "()"
};

typedef struct Capture {
    const char *start;
    ptrdiff_t length;
} Capture;

// One subject and one pattern. It lives on the C stack and owns nothing.
typedef struct Matcher {
    lua_State *L;
    const char *subject;
    const char *subject_end;
    const char *pattern_end;
    int steps; // until the next check of the budget
    int depth; // calls of the matcher within itself that are left
    int count; // captures
    const char *first_end; // the end of the item with which every match begins; NULL if there is no such item
    Capture captures[pattern_captures];
} Matcher;

// Prepares to match `pattern`, without its anchor if it had one. A pattern that begins with a malformed item raises.
// [] -> []
void matcher_init(
    Matcher *m, lua_State *L, const char *subject, size_t count, const char *pattern, size_t pattern_count);

const char *matcher_skip_to_item(Matcher *m, const char *start, const char *pattern);

// The first place from `start` on where a match can begin; the subject's end when there is none.
static inline const char *matcher_skip(Matcher *m, const char *start, const char *pattern)
{
    return m->first_end == NULL ? start : matcher_skip_to_item(m, start, pattern);
}

// The end of the match that begins at `start`, NULL when there is none. Leaves the stack as it was.
const char *matcher_try(Matcher *m, const char *start, const char *pattern);

// Counts steps that the caller made for the match. [...] -> [...]
void matcher_spend(Matcher *m, int steps);

// The text or the position of one capture. If the pattern has none, the first capture is the whole match, from `start`
// to `end`. [] -> [value]
void push_capture(const Matcher *m, int index, const char *start, const char *end);

// All captures, or the whole match if there are none and `start` is given. [] -> [values...], and their number
int push_captures(const Matcher *m, const char *start, const char *end);

#endif
