// The declarations of a candidate generation, for the files of this folder: its classes, its states, and the values in
// them.
#ifndef PERIGEE_BRIDGE_CANDIDATE_H
#define PERIGEE_BRIDGE_CANDIDATE_H

#include "reload.h"

// classes.c
bool is_class(lua_State *L, int index);
void push_room_for(lua_State *L, int table);
void swap_classes(lua_State *L);
void swap_declared(lua_State *L);
void shield(lua_State *L);
void check_classes(lua_State *L);

// kept.c
void fill_states(lua_State *L, bool migrations);
void commit_states(lua_State *L);

// plain.c
void check_plain(lua_State *L, const char *owner);
void copy_plain(lua_State *L, const char *owner);

#endif
