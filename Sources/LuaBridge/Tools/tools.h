// The tools, for other folders: functions that break the bridge's rules, in debug builds only.
#ifndef PERIGEE_BRIDGE_TOOLS_H
#define PERIGEE_BRIDGE_TOOLS_H

#include "State/state.h"

// stick.c
void stick_open(lua_State *L);

#endif
