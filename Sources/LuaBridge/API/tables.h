// Shared by the tables of the script API: functions that stand in another file's table, and the clock.
#ifndef PERIGEE_BRIDGE_TABLES_H
#define PERIGEE_BRIDGE_TABLES_H

#include "api.h"

// timers.c, for `server`; encodings.c, for `crypto`
extern const luaL_Reg timer_functions[];
extern const luaL_Reg encoding_functions[];

// time.c: seconds since 1970 as scripts see them
double time_now(const Bridge *b);

#endif
