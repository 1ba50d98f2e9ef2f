// The watchdog's thread, for the rest of the bridge: see watchdog.c.
#ifndef PERIGEE_LUA_WATCHDOG_H
#define PERIGEE_LUA_WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>

struct Bridge;

extern _Atomic bool watchdog_asleep;
void watchdog_wake(void);
// Begins to watch a state; false if there is no watchdog.
bool watchdog_add(struct Bridge *b);
void watchdog_remove(struct Bridge *b);

#endif
