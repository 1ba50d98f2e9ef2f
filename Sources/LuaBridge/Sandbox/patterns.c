// Lua's patterns, matched by our own code. A pattern can backtrack for a very long time, and no hook interrupts C. So
// this matcher counts its steps and checks after every thousand of them whether the event is being killed. The meaning
// of a pattern, and the mistakes that are found in it, are exactly those of the stock library.
//
// The caller calls matcher_try for each place where a match may begin. A pattern is read while it is matched, so a
// mistake in a part that is never reached is never noticed.
//
// Read next: pattern_items.h, pattern_functions.c.
#include "pattern_items.h"

enum { deepest = 200 }; // calls of the matcher within itself

static const char *match(Matcher *m, const char *at, const char *pattern);

// "*" and "+": as many as possible, then fewer.
static const char *match_most(Matcher *m, const char *at, const char *item, const char *end)
{
    for (const char *last = run_end(m, at, item, end); last >= at; last--) {
        const char *matched = match(m, last, end + 1);
        if (matched != NULL) {
            return matched;
        }
    }
    return NULL;
}

// "-": as few as possible, then more.
static const char *match_least(Matcher *m, const char *at, const char *item, const char *end)
{
    for (;; at++) {
        const char *matched = match(m, at, end + 1);
        if (matched != NULL) {
            return matched;
        }
        if (!item_matches(m, at, item, end)) {
            return NULL;
        }
    }
}

// "(" and "()".
static const char *match_open(Matcher *m, const char *at, const char *pattern, int length)
{
    if (m->count >= pattern_captures) {
        luaL_error(m->L, "too many captures");
    }
    m->captures[m->count++] = (Capture){at, length};
    const char *matched = match(m, at, pattern);
    if (matched == NULL) {
        m->count--;
    }
    return matched;
}

// ")", which closes the last capture that is open.
static const char *match_close(Matcher *m, const char *at, const char *pattern)
{
    Capture *capture = m->captures + m->count;
    do {
        if (capture == m->captures) {
            luaL_error(m->L, "invalid pattern capture");
        }
        capture--;
    } while (capture->length != open_capture);
    capture->length = at - capture->start;
    const char *matched = match(m, at, pattern);
    if (matched == NULL) {
        capture->length = open_capture;
    }
    return matched;
}

// "%bxy": from an x to its matching y.
static const char *match_balance(Matcher *m, const char *at, const char *pair)
{
    if (pair + 1 >= m->pattern_end) {
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    }
    if (at >= m->subject_end || *at != *pair) {
        return NULL;
    }
    char opening = pair[0];
    char closing = pair[1];
    size_t depth = 1;
    for (const char *next = at + 1; next < m->subject_end; next++) {
        if ((next - at) % stretch == 0) {
            spend(m, stretch / 8);
        }
        if (*next == closing) {
            if (--depth == 0) {
                spend(m, (next - at) % stretch / 8);
                return next + 1;
            }
        } else if (*next == opening) {
            depth++;
        }
    }
    spend(m, (m->subject_end - at) % stretch / 8);
    return NULL;
}

// "%f[set]": whether a run of the set's characters begins here. The subject lies between two zeros.
static bool at_frontier(Matcher *m, const char *at, const char *item, const char *end)
{
    unsigned char before = at == m->subject ? 0 : (unsigned char)at[-1];
    unsigned char here = at == m->subject_end ? 0 : (unsigned char)*at;
    spend(m, end - item);
    return !in_set(before, item + 1, end - 1) && in_set(here, item + 1, end - 1);
}

// "%1" to "%9": the end of the same text as the capture's.
static const char *match_reference(Matcher *m, const char *at, char number)
{
    int index = number - '1';
    if (index < 0 || index >= m->count || m->captures[index].length == open_capture) {
        luaL_error(m->L, "invalid capture index %%%d", index + 1);
    }
    ptrdiff_t length = m->captures[index].length;
    if (length == position_capture || length > m->subject_end - at) {
        return NULL;
    }
    spend(m, length / 32);
    return memcmp(m->captures[index].start, at, (size_t)length) == 0 ? at + length : NULL;
}

// An item with an optional "?", "*", "+" or "-" after it. True if matching goes on at `*at` and `*pattern`, false if
// `*at` is the result.
static inline bool match_item(Matcher *m, const char **at, const char **pattern)
{
    const char *item = *pattern;
    const char *end = item_end(m, item);
    bool is_match = item_matches(m, *at, item, end);
    switch (*end) { // a zero at the pattern's end
    case '?':
        if (is_match) {
            const char *matched = match(m, *at + 1, end + 1);
            if (matched != NULL) {
                *at = matched;
                return false;
            }
        }
        *pattern = end + 1;
        return true;
    case '+':
        *at = is_match ? match_most(m, *at + 1, item, end) : NULL;
        return false;
    case '*':
        if (is_match) {
            *at = match_most(m, *at, item, end);
            return false;
        }
        *pattern = end + 1;
        return true;
    case '-':
        if (is_match) {
            *at = match_least(m, *at, item, end);
            return false;
        }
        *pattern = end + 1;
        return true;
    default:
        *at = is_match ? *at + 1 : NULL;
        *pattern = end;
        return is_match;
    }
}

// The items that begin with "%", except a class. Like match_item; `*is_special` is false if it is a class.
static bool match_special(Matcher *m, const char **at, const char **pattern, bool *is_special)
{
    const char *next = *pattern + 1;
    *is_special = true;
    switch (*next) { // a zero at the pattern's end
    case 'b':
        *at = match_balance(m, *at, next + 1);
        *pattern = next + 3;
        return *at != NULL;
    case 'f': {
        const char *set = next + 1;
        if (*set != '[') {
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        }
        const char *end = set_end(m, set + 1);
        *pattern = end;
        if (!at_frontier(m, *at, set, end)) {
            *at = NULL;
        }
        return *at != NULL;
    }
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        *at = match_reference(m, *at, *next);
        *pattern = next + 1;
        return *at != NULL;
    default:
        *is_special = false;
        return true;
    }
}

// The end of the match of the rest of the pattern, NULL if there is none.
static inline const char *match_rest(Matcher *m, const char *at, const char *pattern)
{
    while (pattern != m->pattern_end) {
        spend(m, 1);
        switch (*pattern) {
        case '(':
            return pattern[1] == ')' ? match_open(m, at, pattern + 2, position_capture)
                                     : match_open(m, at, pattern + 1, open_capture);
        case ')':
            return match_close(m, at, pattern + 1);
        case '$':
            if (pattern + 1 == m->pattern_end) {
                return at == m->subject_end ? at : NULL;
            }
            break;
        case '%': {
            bool is_special;
            if (!match_special(m, &at, &pattern, &is_special)) {
                return at;
            }
            if (is_special) {
                continue;
            }
            break;
        }
        default:
            break;
        }
        if (!match_item(m, &at, &pattern)) {
            return at;
        }
    }
    return at;
}

static const char *match(Matcher *m, const char *at, const char *pattern)
{
    check_stack_left(m->L);
    if (m->depth-- == 0) {
        luaL_error(m->L, "pattern too complex");
    }
    const char *matched = match_rest(m, at, pattern);
    m->depth++;
    return matched;
}

// --- for callers ---

// The end of the item that every match begins with, if the pattern begins with one.
static const char *first_item_end(Matcher *m, const char *pattern)
{
    if (pattern == m->pattern_end || memchr("().$", *pattern, 4) != NULL) {
        return NULL;
    }
    if (*pattern == '%' && (pattern[1] == 'b' || pattern[1] == 'f' || (kinds[(unsigned char)pattern[1]] & digit) != 0)) {
        return NULL;
    }
    const char *end = item_end(m, pattern);
    return *end == '*' || *end == '?' || *end == '-' ? NULL : end;
}

void matcher_init(
    Matcher *m, lua_State *L, const char *subject, size_t count, const char *pattern, size_t pattern_count)
{
    m->L = L;
    m->subject = subject;
    m->subject_end = subject + count;
    m->pattern_end = pattern + pattern_count;
    m->steps = slice;
    m->depth = deepest;
    m->count = 0;
    m->first_end = first_item_end(m, pattern);
}

const char *matcher_skip_to_item(Matcher *m, const char *start, const char *pattern)
{
    if (m->first_end == pattern + 1) {
        const char *found = memchr(start, *pattern, (size_t)(m->subject_end - start));
        return found == NULL ? m->subject_end : found;
    }
    return skip_while(m, start, pattern, m->first_end, false);
}

const char *matcher_try(Matcher *m, const char *start, const char *pattern)
{
    m->count = 0;
    m->depth = deepest;
    spend(m, 1); // because an empty pattern has no item that counts a step
    return match(m, start, pattern);
}

void matcher_spend(Matcher *m, int steps)
{
    spend(m, steps);
}

void push_capture(const Matcher *m, int index, const char *start, const char *end)
{
    if (index >= m->count) {
        if (index != 0) {
            luaL_error(m->L, "invalid capture index %%%d", index + 1);
        }
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return;
    }
    const Capture *capture = m->captures + index;
    if (capture->length == open_capture) {
        luaL_error(m->L, "unfinished capture");
    } else if (capture->length == position_capture) {
        lua_pushinteger(m->L, (lua_Integer)(capture->start - m->subject) + 1);
    } else {
        lua_pushlstring(m->L, capture->start, (size_t)capture->length);
    }
}

int push_captures(const Matcher *m, const char *start, const char *end)
{
    int count = m->count == 0 && start != NULL ? 1 : m->count;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) {
        push_capture(m, i, start, end);
    }
    return count;
}
