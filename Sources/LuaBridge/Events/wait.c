// Waiting. A host function that takes time takes a ticket, starts its work and yields. The event's coroutine is put
// aside as a task, and the worker goes on with other events. When the answer is there the host resumes the ticket, and
// the function's continuation gives the answer to the script. A ticket of a wait that is over resumes nothing.
//
// Allocates: the table of tasks, which grows to the largest number that ever waited at once. Read next: event.c.
#include <stdlib.h>

#include "running.h"
#include "API/api.h"
#include "Watchdog/watchdog.h"

static const uint32_t no_task = UINT32_MAX;

enum { spawn_arguments = 200 };

static bool grow(Bridge *b)
{
    uint32_t capacity = b->task_capacity == 0 ? 16 : b->task_capacity * 2;
    Task *tasks = realloc(b->tasks, capacity * sizeof *tasks);
    if (tasks == NULL) {
        return false;
    }
    for (uint32_t i = b->task_capacity; i < capacity; i++) {
        tasks[i] = (Task){.next_free = i + 1 < capacity ? i + 1 : no_task};
    }
    b->free_task = b->task_capacity;
    b->tasks = tasks;
    b->task_capacity = capacity;
    return true;
}

// Gives the running event a slot, if it has none. [] -> []
static void take_task(lua_State *L, const char *function)
{
    Bridge *b = bridge_of(L);
    if (b->running_task >= 0) {
        return;
    }
    if (b->waiting_count >= b->wait_limit) {
        b->waits_refused += 1;
        luaL_error(L, "%s: %d handlers wait already", function, (int)b->wait_limit);
    }
    if ((b->task_capacity == 0 || b->free_task == no_task) && !grow(b)) {
        luaL_error(L, "not enough memory");
    }
    b->running_task = b->free_task;
    Task *task = &b->tasks[b->free_task];
    b->free_task = task->next_free;
    task->used = true;
    task->waiting = false;
    task->doom = b->doom;
}

// The running event has ended; its slot is free. Never raises.
void task_end(Bridge *b)
{
    if (b->running_task < 0) {
        return;
    }
    Task *task = &b->tasks[b->running_task];
    task->used = false;
    task->waiting = false;
    task->next_free = b->free_task;
    b->free_task = (uint32_t)b->running_task;
    b->running_task = -1;
}

// Begins a wait and sets the ticket. False if it cannot begin: then nil and the reason are on the stack. Raises where
// nothing can wait. [...] -> [... | ... nil why]
bool wait_begin(lua_State *L, const char *function, BridgeTicket *ticket)
{
    Bridge *b = bridge_of(L);
    forbid_while_loading(L, function);
    if (b->doom != BridgeKillNone) {
        kill_running(L, b->doom);
    }
    if (!b->can_wait || !lua_isyieldable(L)) {
        luaL_error(
            L, "%s: cannot wait here, within table.sort, string.gsub, a metamethod or another function of C", function);
    }
    if (b->closed) {
        b->doom = BridgeKillClosed;
        lua_pushnil(L);
        lua_pushliteral(L, "closed");
        return false;
    }
    take_task(L, function);
    Task *task = &b->tasks[b->running_task];
    task->serial += 1;
    *ticket = (BridgeTicket){(uint32_t)b->running_task, task->serial};
    return true;
}

// Puts the event aside. `woken` is called with the ticket as its context when the event goes on. [...] -> never returns
int wait_yield(lua_State *L, BridgeTicket ticket, lua_KFunction woken)
{
    bridge_of(L)->asked = true;
    uint64_t packed = (uint64_t)ticket.task << 32 | ticket.serial;
    return lua_yieldk(L, 0, (lua_KContext)packed, woken);
}

// The answer that the continuation of a wait has waited for. [...] -> [...]
const BridgeAnswer *wait_answer(lua_State *L, lua_KContext context)
{
    Bridge *b = bridge_of(L);
    uint64_t packed = (uint64_t)b->waking.task << 32 | b->waking.serial;
    const BridgeAnswer *answer = b->answer_for_waking;
    if (answer == NULL || packed != (uint64_t)context) {
        luaL_error(L, "coroutine.resume: this coroutine waits for the server, which alone goes on with it");
    }
    b->answer_for_waking = NULL;
    return answer;
}

// [...] -> [... nil why]
int push_wait_failure(lua_State *L, const BridgeAnswer *answer)
{
    lua_pushnil(L);
    lua_pushlstring(L, answer->text, answer->textCount);
    return 2;
}

// [...] -> [... true | nil why]
static int sleep_woken(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    const BridgeAnswer *answer = wait_answer(L, context);
    if (answer->failed) {
        return push_wait_failure(L, answer);
    }
    lua_pushboolean(L, true);
    return 1;
}

// server.sleep(seconds). [seconds] -> [... true | nil why]
static int server_sleep(lua_State *L)
{
    double seconds = check_seconds(L, 1, "server.sleep");
    BridgeTicket ticket;
    if (!wait_begin(L, "server.sleep", &ticket)) {
        return 2;
    }
    scriptHostSleep(bridge_of(L)->host, ticket, seconds);
    return wait_yield(L, ticket, sleep_woken);
}

// [...] -> [...]
static int spawned_done(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 0;
}

// Calls the function among the upvalues with the others. [] -> [...]
static int call_spawned(lua_State *L)
{
    int count = (int)lua_tointeger(L, lua_upvalueindex(1));
    check_stack_left(L);
    luaL_checkstack(L, count, NULL);
    for (int i = 0; i < count; i++) {
        lua_pushvalue(L, lua_upvalueindex(2 + i));
    }
    lua_callk(L, count - 1, 0, 0, spawned_done);
    return 0;
}

// server.spawn(f, ...). [f arguments...] -> [...]
static int server_spawn(lua_State *L)
{
    forbid_while_loading(L, "server.spawn");
    int count = lua_gettop(L);
    if (count == 0 || !lua_isfunction(L, 1)) {
        return luaL_error(L, "server.spawn: expected a function, not %s", luaL_typename(L, 1));
    }
    if (count > spawn_arguments) {
        return luaL_error(L, "server.spawn: more than %d arguments", spawn_arguments - 1);
    }
    lua_pushinteger(L, count);
    lua_insert(L, 1);
    lua_pushcclosure(L, call_spawned, count + 1);
    luaL_checkstack(L, 4, NULL);
    int32_t function = keep_function(L, 1);
    if (!scriptHostSpawn(bridge_of(L)->host, function)) {
        release_function(L, function);
        return luaL_error(L, "server.spawn: too many functions wait to be run");
    }
    return 0;
}

void bridgeSetClosed(Bridge *b, bool closed)
{
    b->closed = closed;
}

uint32_t bridgeWaiting(const Bridge *b)
{
    return b->waiting_count;
}

uint64_t bridgeWaitsRefused(const Bridge *b)
{
    return b->waits_refused;
}

const luaL_Reg wait_functions[] = {
    {"sleep", server_sleep},
    {"spawn", server_spawn},
    {NULL, NULL},
};
