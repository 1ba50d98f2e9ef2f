// Generations, for other folders, and the functions of `server` that keep values from one generation to the next.
#ifndef PERIGEE_BRIDGE_RELOAD_H
#define PERIGEE_BRIDGE_RELOAD_H

#include "State/state.h"

// One bundle, run in this state.
typedef struct Generation {
    uint64_t version;
    int script_count;
    int table;     // registry reference: its chunks, modules and shared environment
    int *handlers; // [script][event]: registry references, LUA_NOREF where there is none
    int migrations;  // states that must be migrated to a new version before the commit
    bool is_filling; // its files run, and its classes hold the fields that the files set
} Generation;

// generation.c
void generations_close(Bridge *b);

// classes.c
void classes_open(lua_State *L);
extern const luaL_Reg class_functions[];

// kept.c
void states_open(lua_State *L);
extern const luaL_Reg state_functions[];

#endif
