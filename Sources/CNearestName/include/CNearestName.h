// The known name that was probably meant by one that is not known, for "did you mean": handlers, globals, fields and options of
// scripts, and keys of the configuration. In C, because the Lua bridge asks, too.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// The longest known name that is ever meant, in bytes.
enum { nearest_name_longest = 64 };

/// A search, to which known names are offered one after the other. It allocates nothing and never fails.
typedef struct {
    unsigned char name[nearest_name_longest + nearest_name_longest / 2];
    size_t length;
    size_t fewest;
} nearest_name_search;

/// Begins to search for the name nearest to `name`, `length` bytes of UTF-8.
void nearest_name_begin(nearest_name_search *search, const char *name, size_t length);

/// Whether `known`, `length` bytes of UTF-8, is nearer than all names offered before, and near enough to be meant: it takes at
/// most a third as many edits as the name has bytes. An edit inserts, removes or replaces a byte, or exchanges two neighbours;
/// a difference in the case of ASCII letters counts nothing.
bool nearest_name_offer(nearest_name_search *search, const char *known, size_t length);
