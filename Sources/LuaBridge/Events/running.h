// A running event, for the files of this folder: its coroutine, its task, its failure, and the arguments of its
// handler.
#ifndef PERIGEE_BRIDGE_RUNNING_H
#define PERIGEE_BRIDGE_RUNNING_H

#include "events.h"

// An event that waits, or has waited.
typedef struct Task {
    Coroutine coroutine;
    uint32_t serial;   // of its last wait
    bool used;
    bool waiting;
    BridgeKill doom;   // the kill with which its next wait ends it
    uint32_t next_free;
} Task;

// wait.c
void task_end(Bridge *b);

// coroutine.c
bool coroutine_take(Bridge *b, Coroutine *taken);
void coroutine_give_back(Bridge *b, Coroutine coroutine);
void coroutine_unwind(Coroutine coroutine);
void coroutine_recover(Bridge *b, Coroutine coroutine);

// failure.c
void failure_clear(Bridge *b);
BridgeOutcome failure_read(Bridge *b, lua_State *co, int status);

// conn.c, conn_methods.c
void push_conn(lua_State *L, Bridge *b, BridgeConnection connection);
Conn *check_conn(lua_State *L, const char *method);
extern const luaL_Reg conn_methods[];

// pairs.c
void push_query(lua_State *L, const BridgeStrings *strings, size_t *offset, int count);

// arguments.c
bool is_close_code(lua_Integer code);

#endif
