// The way of a kill to the worker's thread, for the files of this folder: the signal, its handler, and the bridge that
// runs.
#ifndef PERIGEE_BRIDGE_KILL_H
#define PERIGEE_BRIDGE_KILL_H

#include "watchdog.h"

enum { kill_signal = SIGURG }; // ignored where nobody handles it

// kill.c
bool kill_prepare(void);
void hook_if_counted(Bridge *b, lua_State *co);

// slice.c
extern _Thread_local Bridge *volatile running_bridge __attribute__((tls_model("initial-exec")));

#endif
