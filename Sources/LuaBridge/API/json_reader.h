// What reads JSON text: where it is, and what is wrong. Read next: json_decode.c, then json_scalars.c.
#ifndef PERIGEE_BRIDGE_JSON_READER_H
#define PERIGEE_BRIDGE_JSON_READER_H

#include "json.h"

typedef struct Reader {
    lua_State *L;
    const char *start;
    const char *next;
    const char *end; // there is a zero behind it
    const char *problem;
    int depth;
    int steps; // until the next look at the budget
} Reader;

// Always false. Never raises.
static inline bool json_fail(Reader *r, const char *place, const char *problem)
{
    r->next = place;
    r->problem = problem;
    return false;
}

// [...] -> [...]
static inline void json_spend(Reader *r, size_t steps)
{
    r->steps -= (int)steps;
    if (r->steps <= 0) {
        r->steps = json_slice;
        check_killed(r->L);
    }
}

// json_scalars.c: what begins at `next`; false when it is not what it seems. [] -> [value]
bool json_read_number(Reader *r);
bool json_read_string(Reader *r);

// json_string.c
char *json_unescape(Reader *r, const char *next, const char *end, char *to);

#endif
