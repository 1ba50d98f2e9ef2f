// The watchdog, for other folders: the beginning and the end of a slice, and the check of loops in C for a kill.
#ifndef PERIGEE_BRIDGE_WATCHDOG_H
#define PERIGEE_BRIDGE_WATCHDOG_H

#include "State/state.h"

// kill.c
void check_killed(lua_State *L);
void kill_running(lua_State *L, BridgeKill reason);
void hook_if_killed(Bridge *b, lua_State *co);

// slice.c
void slice_begin(Bridge *b, lua_State *co, double budget);
void slice_end(Bridge *b);

#endif
