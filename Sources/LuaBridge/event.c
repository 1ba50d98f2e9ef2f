// One entry per event. An entry point takes a pooled coroutine, gives it a light C function and a light pointer to the
// event's arguments, neither of which allocates, and resumes it: that is the protected call. The C function, inside,
// does all that can fail: it pushes the handler, the conn and the payload, and calls. It keeps nothing of the event but
// its kind once it has called, so that a handler may one day wait.
//
// Read next: coroutine.c, conn.c, failure.c.
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

enum { easy_memory = 8 << 20 };

static size_t clamp(size_t value, size_t least, size_t most)
{
    return value < least ? least : value > most ? most : value;
}

typedef struct Call {
    int32_t script;
    BridgeEvent event;
    BridgeConnection connection;
    const char *bytes;
    size_t count;
    bool binary;
    int32_t code;
    lua_Integer number;
    const BridgeRequest *request;
} Call;

// Keeps the collector ahead of the memory limit: the fuller the state, the sooner the next cycle. A small state may grow to half a
// megabyte first: its cycles are short, but a stream of large messages would start one every few messages. Never raises.
static void tune_collector(Bridge *b)
{
    size_t used = b->memory / 85 + 1;
    size_t at_most = clamp(easy_memory / (b->memory / 100 + 1), 200, 1000);
    size_t percent = b->memory_limit == 0 ? at_most : clamp(b->memory_limit / used, 105, at_most);
    lua_gc(b->main, LUA_GCINC, (int)percent, 0, 0);
}

// Runs `body(call)` in a pooled coroutine, with a hook every thousand instructions if one is given. Never raises.
BridgeOutcome run_protected(Bridge *b, lua_CFunction body, void *call, lua_Hook hook)
{
    if (b->running) {
        fputs("perigee: a host function called back into the Lua bridge\n", stderr);
        abort();
    }
    Coroutine coroutine;
    if (!coroutine_take(b, &coroutine)) {
        return failure_set(b, "not enough memory");
    }
    lua_State *co = coroutine.state;
    if (hook != NULL) {
        lua_sethook(co, hook, LUA_MASKCOUNT, 1000);
    }
    if ((++b->events & 63) == 0) {
        tune_collector(b);
    }
    b->running = true;
    b->result.outcome = BridgeOutcomeDone;
    lua_pushcfunction(co, body);
    lua_pushlightuserdata(co, call);
    int results;
    int status = lua_resume(co, b->main, 1, &results);
    if (status == LUA_OK) {
        lua_settop(co, 0);
        if (hook != NULL) {
            lua_sethook(co, NULL, 0, 0);
        }
        coroutine_give_back(b, coroutine);
    } else {
        failure_read(b, co, status);
        coroutine_recover(b, coroutine);
    }
    b->running = false;
    b->received = NULL;
    b->killed = false;
    return b->result.outcome;
}

// [] -> [handler], never raises
static void push_handler(lua_State *L, Bridge *b, const Call *call)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->live->handlers[call->script * bridgeEventCount + call->event]);
}

static int done(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 0;
}

// Calls the handler with its arguments and wants nothing back. [... handler arguments] -> [...]
static int call_handler(lua_State *L, int arguments)
{
    lua_callk(L, arguments, 0, 0, done);
    return 0;
}

// The payload stays below the handler, so that its address names it for as long as the event runs. [call] -> [call payload]
static int message_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Call *call = lua_touserdata(L, 1);
    const char *payload = lua_pushlstring(L, call->bytes, call->count);
    b->received = call->binary ? NULL : payload;
    push_handler(L, b, call);
    push_conn(L, b, call->connection);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, call->binary);
    return call_handler(L, 3);
}

// The handlers that get the connection and nothing more: onOpen, onDrain. [call] -> []
static int connection_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Call *call = lua_touserdata(L, 1);
    push_handler(L, b, call);
    push_conn(L, b, call->connection);
    return call_handler(L, 1);
}

// [call] -> []
static int close_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Call *call = lua_touserdata(L, 1);
    push_handler(L, b, call);
    push_conn(L, b, call->connection);
    lua_pushinteger(L, call->code);
    lua_pushlstring(L, call->bytes, call->count);
    return call_handler(L, 3);
}

// [call] -> []
static int life_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Call *call = lua_touserdata(L, 1);
    push_handler(L, b, call);
    if (call->event == BridgeEventReload) {
        lua_pushinteger(L, call->number);
        return call_handler(L, 1);
    }
    return call_handler(L, 0);
}

// [call] -> []
static int timer_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const Call *call = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.timers);
    lua_rawgeti(L, -1, call->number);
    if (call->binary) {
        lua_pushnil(L);
        lua_rawseti(L, -3, call->number);
    }
    return lua_isnil(L, -1) ? 0 : call_handler(L, 0);
}

// Runs the event if the script has a handler for it. Never raises.
static BridgeOutcome run_event(Bridge *b, lua_CFunction body, Call *call)
{
    if (!bridgeDefines(b, call->script, call->event)) {
        return BridgeOutcomeAbsent;
    }
    return run_protected(b, body, call, NULL);
}

BridgeOutcome bridgeOnOpen(Bridge *b, int32_t script, BridgeConnection connection)
{
    Call call = {.script = script, .event = BridgeEventOpen, .connection = connection};
    return run_event(b, connection_body, &call);
}

BridgeOutcome bridgeOnDrain(Bridge *b, int32_t script, BridgeConnection connection)
{
    Call call = {.script = script, .event = BridgeEventDrain, .connection = connection};
    return run_event(b, connection_body, &call);
}

BridgeOutcome bridgeOnMessage(
    Bridge *b, int32_t script, BridgeConnection connection, const void *bytes, size_t count, bool binary)
{
    Call call = {
        .script = script,
        .event = BridgeEventMessage,
        .connection = connection,
        .bytes = count > 0 ? bytes : "",
        .count = count,
        .binary = binary,
    };
    return run_event(b, message_body, &call);
}

BridgeOutcome bridgeOnClose(
    Bridge *b, int32_t script, BridgeConnection connection, int32_t code, const void *reason, size_t count)
{
    Call call = {
        .script = script,
        .event = BridgeEventClose,
        .connection = connection,
        .code = code,
        .bytes = count > 0 ? reason : "",
        .count = count,
    };
    return run_event(b, close_body, &call);
}

BridgeOutcome bridgeOnLife(Bridge *b, int32_t script, BridgeEvent event, uint64_t previous_version)
{
    Call call = {.script = script, .event = event, .number = (lua_Integer)previous_version};
    return run_event(b, life_body, &call);
}

BridgeOutcome bridgeOnTimer(Bridge *b, int32_t function, bool once)
{
    Call call = {.number = function, .binary = once};
    return run_protected(b, timer_body, &call, NULL);
}
