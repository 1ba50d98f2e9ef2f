// The sandbox, for other folders: the environments of scripts, and metatables that are safe to set.
#ifndef PERIGEE_BRIDGE_SANDBOX_H
#define PERIGEE_BRIDGE_SANDBOX_H

#include "State/state.h"

// environment.c
void environment_open(lua_State *L);
void push_script_environment(lua_State *L, int generation, bool is_script);

// require.c
void push_require(lua_State *L, int generation);

// guards.c
void set_metatable_unarmed(lua_State *L, int index);
void check_metatables(lua_State *L);

// metamethods.c
void metamethods_open(lua_State *L);
void make_weak(lua_State *L, const char *mode);

// old_bugs.c
bool has_old_bugs(void);
void refuse_old_bugs(lua_State *L, const BridgeSource *source);

#endif
