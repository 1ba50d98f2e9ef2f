// Shared by the files of the JSON codec. Read next: json_encode.c, json_decode.c, then json_scalars.c.
#ifndef PERIGEE_BRIDGE_JSON_H
#define PERIGEE_BRIDGE_JSON_H

#include "api.h"
#include "Watchdog/watchdog.h"

enum {
    json_depth = 64,         // tables within tables
    json_slice = 1024,       // steps between two checks of the budget
    json_step = 64,          // bytes of a string that count as one step
    json_piece = 1 << 16,    // bytes that are examined between two checks of the budget
    json_number_room = 32,   // bytes that a number can take
};

// json_number.c: both write no terminator and return the end of the text. A double must be finite.
char *json_write_integer(char *to, lua_Integer value);
char *json_write_double(char *to, double value);

// json_string.c: the end of text that needs no escapes inside a JSON string.
const char *json_plain_end(const char *next, const char *end);

// --- reading ---

// The text that is being read, with the position and the error so far.
typedef struct Reader {
    lua_State *L;
    const char *start;
    const char *next;
    const char *end; // there is a zero behind it
    const char *problem;
    int depth;
    int steps; // until the next check of the budget
} Reader;

// Notes a mistake and its place. Returns false. Never raises.
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

// json_scalars.c: read the number or string that begins at `next`; false if it is malformed. [] -> [value]
bool json_read_number(Reader *r);
bool json_read_string(Reader *r);

// json_string.c
char *json_unescape(Reader *r, const char *next, const char *end, char *to);

#endif
