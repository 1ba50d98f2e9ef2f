// What the files of the JSON codec share.
#ifndef PERIGEE_BRIDGE_JSON_H
#define PERIGEE_BRIDGE_JSON_H

#include "../internal.h"

enum {
    json_slice = 1024,       // steps between two looks at the budget
    json_step = 64,          // bytes of a string that count as one step
    json_piece = 1 << 16,    // bytes that are looked at between two looks at the budget
    json_number_room = 32,   // bytes that a number can take
};

// json_number.c: both write no terminator and answer where the text ends. A double must be finite.
char *json_write_integer(char *to, lua_Integer value);
char *json_write_double(char *to, double value);

// json_string.c: text that is the same inside a JSON string and outside of it.
const char *json_plain_end(const char *next, const char *end);

#endif
