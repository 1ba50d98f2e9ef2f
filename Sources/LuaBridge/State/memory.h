// The state's memory, for the files of this folder: allocation, collection and counts.
#ifndef PERIGEE_BRIDGE_MEMORY_H
#define PERIGEE_BRIDGE_MEMORY_H

#include "state.h"

// allocator.c
void *bridge_allocate(void *context, void *block, size_t old_size, size_t new_size);

// collection.c
bool collect_if_grown(lua_State *L);
void collect_coroutines(lua_State *L);

// coroutine_count.c
bool count_may_add(Bridge *b);
void count_add(Bridge *b, void *address, size_t size);
void count_remove(Bridge *b, void *address, size_t size);

// strings.c
void strings_release(BridgeStrings *strings);

// readonly.c
void push_readonly_deep(lua_State *L, const char *name);
void readonly_open(lua_State *L);

#endif
