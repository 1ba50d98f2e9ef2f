// The script API, for other folders: its tables, JSON, and the functions that timers call.
#ifndef PERIGEE_BRIDGE_API_H
#define PERIGEE_BRIDGE_API_H

#include "State/state.h"

// Each pushes its table. [] -> [table]
void push_server(lua_State *L);
void push_json(lua_State *L);
void push_kv(lua_State *L);
void push_http(lua_State *L);
void push_log(lua_State *L);
void push_time(lua_State *L);
void push_crypto(lua_State *L);
void push_jwt(lua_State *L);
void push_metrics(lua_State *L);

// log.c
int log_print(lua_State *L);

// json_encode.c, json_decode.c
void json_encode(lua_State *L, int index, BridgeStrings *text);
bool json_decode(lua_State *L, const char *bytes, size_t count, char *why, size_t why_size);

// timers.c
void timers_open(lua_State *L);
int32_t keep_function(lua_State *L, int index);
void release_function(lua_State *L, int32_t function);

#endif
