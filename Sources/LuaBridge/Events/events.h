// Events, for other folders: calls of a script's functions, waits and failures, the names of handlers, the objects of
// connections, and the checks of arguments.
#ifndef PERIGEE_BRIDGE_EVENTS_H
#define PERIGEE_BRIDGE_EVENTS_H

#include "State/state.h"

enum { name_limit = 1024 }; // bytes of a kv key, or of the name of a user, a timer, a state, a class or a module

typedef struct Conn {
    BridgeConnection connection;
} Conn;

// event.c
int call_noted(lua_State *L, int arguments, int results, lua_KContext context, lua_KFunction done);
BridgeOutcome run_protected(Bridge *b, lua_CFunction body, void *call, double budget);

// coroutine.c
void ensure_stack(lua_State *L, lua_State *co);

// wait.c
bool wait_begin(lua_State *L, const char *function, BridgeTicket *ticket);
int wait_yield(lua_State *L, BridgeTicket ticket, lua_KFunction woken);
const BridgeAnswer *wait_answer(lua_State *L, lua_KContext context);
int push_wait_failure(lua_State *L, const BridgeAnswer *answer);
extern const luaL_Reg wait_functions[];

// failure.c
BridgeOutcome failure_set(Bridge *b, const char *message);
void note_place(Bridge *b, lua_State *L, int level);
size_t write_traceback(lua_State *co, int level, char *text, size_t size);

// names.c
const char *nearest_name(const char *const *names, int count, const char *name);
extern const char *const event_names[bridgeEventCount];
int event_named(const char *name);

// conn.c
void conn_open(lua_State *L);
bool is_conn(lua_State *L, int index);

// pairs.c
void push_headers(lua_State *L, const BridgeStrings *strings, size_t *offset, int count);

// arguments.c
BridgePayload check_payload(lua_State *L, int index, bool binary, const char *function);
BridgeBytes check_bytes(lua_State *L, int index, const char *function, const char *what);
BridgeBytes check_text(lua_State *L, int index, size_t limit, const char *function, const char *what);
BridgeBytes check_name(lua_State *L, int index, const char *function, const char *what);
double check_seconds(lua_State *L, int index, const char *function);
void check_lasting_name(lua_State *L, int index, const char *function);
int32_t check_close_code(lua_State *L, int index, const char *function);
BridgeBytes check_close_reason(lua_State *L, int index, const char *function);
void forbid_while_loading(lua_State *L, const char *function);
void check_options(lua_State *L, int index, const char *const *names, int count, const char *function);

#endif
