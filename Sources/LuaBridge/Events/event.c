// One entry per event. An entry point takes a pooled coroutine, gives it a light C function and a light pointer to the
// event's arguments, neither of which allocates, and resumes it: that is the protected call. The C function inside does
// everything that can fail: it pushes the handler, the conn and the payload, and calls. After the call it uses nothing
// of the event but its kind, because the handler may have waited: then the coroutine is kept with the event's task, and
// the event goes on in another slice.
//
// Read next: wait.c, ../Watchdog/kill.c, coroutine.c, conn.c, failure.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CLinux.h"
#include "running.h"
#include "Reload/reload.h"
#include "Watchdog/watchdog.h"

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

// The event waits: its coroutine is kept. Never raises.
static void put_aside(Bridge *b, Coroutine coroutine)
{
    Task *task = &b->tasks[b->running_task];
    task->coroutine = coroutine;
    task->waiting = true;
    task->doom = b->doom;
    b->waiting_count += 1;
    b->result.outcome = BridgeOutcomeWaiting;
    b->result.task = (uint32_t)b->running_task;
    b->running_task = -1;
}

// Runs the event in its coroutine until it ends or waits. Never raises.
static BridgeOutcome run_slice(Bridge *b, Coroutine coroutine, int arguments, double budget)
{
    lua_State *co = coroutine.state;
    b->result = (BridgeResult){.outcome = BridgeOutcomeDone};
    slice_begin(b, co, budget);
    int results;
    int status = lua_resume(co, b->main, arguments, &results);
    bool waits = status == LUA_YIELD && b->asked;
    if (status == LUA_OK) {
        lua_settop(co, 0);
        if (b->kill_after >= 0 || b->slow_count > 0) {
            lua_sethook(co, NULL, 0, 0);
        }
    } else if (!waits) {
        failure_read(b, co, status);
        b->current = co;
        coroutine_unwind(coroutine);
    }
    if (waits) {
        put_aside(b, coroutine);
    }
    bool was_killed = b->killed != BridgeKillNone;
    slice_end(b);
    if (was_killed && !waits) {
        // Not used again: if memory or the C stack was exhausted as well, its hooks may be off for good.
        luaL_unref(b->main, LUA_REGISTRYINDEX, coroutine.reference);
    } else if (status == LUA_OK && lua_gethook(co) == NULL) {
        coroutine_give_back(b, coroutine);
    } else if (!waits) {
        coroutine_recover(b, coroutine);
    }
    if (!waits) {
        task_end(b);
    }
    if (b->result.list == NULL && b->result.text == NULL) {
        bridgeResultRead(b);
    }
    if (status != LUA_OK && !waits && (was_killed || b->was_refused)) {
        clean_up_after_failure(b);
    }
    b->doom = BridgeKillNone;
    return b->result.outcome;
}

static void forbid_reentry(const Bridge *b)
{
    if (b->running) {
        clinux_die("a host function called back into the Lua bridge");
    }
}

// Runs `body(call)` in a pooled coroutine, for at most `budget` seconds of CPU. Never raises.
BridgeOutcome run_protected(Bridge *b, lua_CFunction body, void *call, double budget)
{
    forbid_reentry(b);
    Coroutine coroutine;
    if (!coroutine_take(b, &coroutine)) {
        return failure_set(b, "not enough memory");
    }
    if ((++b->events & 63) == 0) {
        tune_collector(b);
    }
    lua_pushcfunction(coroutine.state, body);
    lua_pushlightuserdata(coroutine.state, call);
    return run_slice(b, coroutine, 1, budget);
}

// Resumes a task. Never raises.
static BridgeOutcome go_on(Bridge *b, uint32_t number, const BridgeAnswer *answer)
{
    forbid_reentry(b);
    Task *task = &b->tasks[number];
    b->running_task = number;
    b->doom = task->doom;
    b->waking = (BridgeTicket){number, task->serial};
    b->answer_for_waking = answer;
    b->waiting_count -= 1;
    task->waiting = false;
    run_slice(b, task->coroutine, 0, b->event_budget);
    b->answer_for_waking = NULL;
    return b->result.outcome;
}

BridgeOutcome bridgeResume(Bridge *b, BridgeTicket ticket, const BridgeAnswer *answer)
{
    failure_clear(b);
    if (ticket.task >= b->task_capacity) {
        return BridgeOutcomeAbsent;
    }
    const Task *task = &b->tasks[ticket.task];
    if (!task->used || !task->waiting || task->serial != ticket.serial) {
        return BridgeOutcomeAbsent;
    }
    return go_on(b, ticket.task, answer);
}

BridgeOutcome bridgeInterrupt(Bridge *b, uint32_t number, BridgeKill reason)
{
    failure_clear(b);
    if (number >= b->task_capacity || !b->tasks[number].used || !b->tasks[number].waiting) {
        return BridgeOutcomeAbsent;
    }
    b->tasks[number].doom = reason;
    bool is_timeout = reason == BridgeKillTimeout;
    BridgeAnswer answer = {.failed = true, .text = is_timeout ? "timeout" : "closed", .textCount = is_timeout ? 7 : 6};
    return go_on(b, number, &answer);
}

// [] -> [handler], never raises
static void push_handler(lua_State *L, Bridge *b, const Call *call)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->live->handlers[call->script * bridgeEventCount + call->event]);
}

// Notes the place of an error that nothing in the script catches. [error] -> [error], never raises
static int note_error(lua_State *L)
{
    Bridge *b = bridge_of(L);
    if (!b->kill_noted) {
        note_place(b, L, 1);
    }
    return 1;
}

// Calls a function of a script, protected, from the bottom of the event's coroutine; `done` is called with the status,
// at once or after the function has waited, and passes an error on. The call has to be protected, because otherwise
// hooks would not work again after a hook has raised an error. [... f arguments] -> [... note_error results... | error]
int call_noted(lua_State *L, int arguments, int results, lua_KContext context, lua_KFunction done)
{
    check_stack_left(L);
    int base = lua_gettop(L) - arguments;
    lua_pushcfunction(L, note_error);
    lua_insert(L, base);
    return done(L, lua_pcallk(L, arguments, results, base, context, done), context);
}

static int done(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    return status == LUA_OK || status == LUA_YIELD ? 0 : lua_error(L);
}

// Calls the handler with its arguments and drops its results. [... handler arguments] -> [...]
static int call_handler(lua_State *L, int arguments)
{
    return call_noted(L, arguments, 0, 0, done);
}

// The payload stays below the handler, so that its address names it for as long as the event runs.
// [call] -> [call payload]
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

// Notes where the function on top begins; for a spawned function, the script's function within it.
// [... function] -> [... function]
static void note_function(lua_State *L, Bridge *b)
{
    lua_pushvalue(L, -1);
    if (lua_iscfunction(L, -1) && lua_getupvalue(L, -1, 2) != NULL) {
        lua_replace(L, -2);
    }
    if (!lua_isfunction(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_Debug place;
    lua_getinfo(L, ">S", &place);
    memcpy(b->function_file, place.short_src, sizeof b->function_file);
    b->function_line = place.linedefined;
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
    if (lua_isnil(L, -1)) {
        return 0;
    }
    note_function(L, b);
    return call_handler(L, 0);
}

// Runs the event if the script has a handler for it. Never raises.
static BridgeOutcome run_event(Bridge *b, lua_CFunction body, Call *call)
{
    if (!bridgeDefines(b, call->script, call->event)) {
        return BridgeOutcomeAbsent;
    }
    return run_protected(b, body, call, b->event_budget);
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

void bridgeFunctionPlace(const Bridge *b, BridgeText *place)
{
    int count = snprintf((char *)place->bytes, sizeof place->bytes, "%s:%d", b->function_file, b->function_line);
    place->count = count < 0 ? 0 : count;
}

BridgeOutcome bridgeOnTimer(Bridge *b, int32_t function, bool once)
{
    Call call = {.number = function, .binary = once};
    return run_protected(b, timer_body, &call, b->event_budget);
}
