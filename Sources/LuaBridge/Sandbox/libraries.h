// The libraries of the sandbox, for the files of this folder. environment.c opens them all.
#ifndef PERIGEE_BRIDGE_LIBRARIES_H
#define PERIGEE_BRIDGE_LIBRARIES_H

#include "sandbox.h"

// guards.c, coroutine_library.c, string_library.c, pattern_functions.c, table_library.c, utf8_library.c
void guards_open(lua_State *L, int globals);
void coroutine_library_open(lua_State *L, int coroutine);
void string_library_open(lua_State *L);
void patterns_open(lua_State *L);
void table_library_open(lua_State *L);
void utf8_library_open(lua_State *L);

// metamethods.c
bool is_protected(lua_State *L, int index);
void set_checked_metatable(lua_State *L, bool becomes_weak);

// string_library.c, string_format.c, text_search.c
void wrap_functions(lua_State *L, const luaL_Reg *functions);
int string_format(lua_State *L);
const char *find_text(lua_State *L, const char *next, size_t count, const char *text, size_t length);

// table_library.c, table_sort.c
enum { table_read = 1, table_write = 2, table_length = 4 };
void check_table(lua_State *L, int index, int uses);
int table_sort(lua_State *L);

#endif
