// How often the calling thread has asked for memory, for tests that prove that a path allocates nothing, or exactly so
// much.
#ifndef PERIGEE_ALLOCATION_COUNTER_H
#define PERIGEE_ALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether this build counts; one with a sanitizer does not.
bool allocations_are_counted(void);

/// The calls of malloc, calloc, realloc and their aligned kin on this thread since it began, from C and Swift alike.
long allocations_of_thread(void);

#endif
