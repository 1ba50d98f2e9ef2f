// An event that has used up its budget is killed by an error that no code of a script can catch. Normally there is no
// hook, because a hook would double the cost of a script's loops. The watchdog's thread signals the worker's thread.
// The signal's handler sets a flag and gives the running coroutine a hook, which raises the error between two
// instructions (lua_sethook is documented as safe in a signal handler). Loops in C check the flag every thousand steps
// or so. The sandbox's pcall, xpcall, resume and close raise the error again, and every coroutine that it passes
// through gets the hook, so that no code runs for long during the unwinding.
//
// Read next: slice.c, watchdog.c.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "kill.h"
#include "stuck.h"
#include "Events/events.h"

static void kill_hook(lua_State *L, lua_Debug *event);

// Raises the error of a kill. [...] -> never returns
static _Noreturn void raise_killed(lua_State *L)
{
    Bridge *b = bridge_of(L);
    if (!b->kill_noted) {
        b->kill_noted = true;
        note_place(b, L, 0);
    }
    lua_sethook(L, kill_hook, LUA_MASKCOUNT, 1);
    lua_checkstack(L, 1); // if this fails, Lua still has room for one
    lua_pushlightuserdata(L, b); // needs no memory
    lua_error(L);
    abort();
}

// Removes itself if no event is being killed: coroutines that were made in the meantime inherit it. [] -> []
static void kill_hook(lua_State *L, lua_Debug *event)
{
    (void)event;
    if (bridge_of(L)->killed) {
        raise_killed(L);
    }
    lua_sethook(L, NULL, 0, 0);
}

// Notes the place of a handler that takes long. [] -> []
static void warn_hook(lua_State *L, lua_Debug *event)
{
    (void)event;
    Bridge *b = bridge_of(L);
    lua_sethook(L, NULL, 0, 0);
    if (b->killed) {
        raise_killed(L);
    }
    if (L == b->current && atomic_load(&b->warn_epoch) == atomic_load(&b->epoch)) {
        b->slow_count = write_traceback(L, 0, b->slow, sizeof b->slow);
    }
}

// For tests: the event has used up its instructions. [] -> []
static void count_hook(lua_State *L, lua_Debug *event)
{
    (void)event;
    kill_running(L, BridgeKillBudget);
}

// Kills the running event from within. [...] -> never returns
void kill_running(lua_State *L, BridgeKill reason)
{
    Bridge *b = bridge_of(L);
    if (!b->killed) {
        b->killed = (sig_atomic_t)reason;
    }
    raise_killed(L);
}

// Raises if the running event is being killed. [...] -> [...]
void check_killed(lua_State *L)
{
    if (bridge_of(L)->killed) {
        raise_killed(L);
    }
}

// Gives the hook to a coroutine that is about to run. Never raises.
void hook_if_killed(Bridge *b, lua_State *co)
{
    if (b->killed) {
        lua_sethook(co, kill_hook, LUA_MASKCOUNT, 1);
    } else if (co != b->base) {
        hook_if_counted(b, co);
    }
}

// Gives a coroutine the hook of tests that count instructions. Never raises.
void hook_if_counted(Bridge *b, lua_State *co)
{
    if (b->kill_after >= 0) {
        lua_sethook(co, count_hook, LUA_MASKCOUNT, b->kill_after + 1);
    }
}

// Interrupts Lua code on the thread that runs it. Only sets flags and hooks.
static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    int saved = errno;
    Bridge *b = running_bridge;
    if (b == NULL) {
        return;
    }
    uint32_t epoch = atomic_load(&b->epoch);
    if (epoch % 2 == 1 && atomic_load(&b->kill_epoch) == epoch) {
        if (!b->killed) {
            b->killed = b->loading ? BridgeKillLoad : BridgeKillBudget;
        }
        // Setting a hook walks through all calls, hundreds of thousands in a deep recursion. So it is set only once:
        // otherwise a signal every few milliseconds would leave no time for anything else.
        if (lua_gethook(b->current) != kill_hook) {
            lua_sethook(b->current, kill_hook, LUA_MASKCOUNT, 1);
        }
    } else if (epoch % 2 == 1 && atomic_load(&b->warn_epoch) == epoch) {
        lua_sethook(b->current, warn_hook, LUA_MASKCOUNT, 1);
    }
    if (epoch % 2 == 1 && atomic_load(&b->stuck_epoch) == epoch) {
        stuck_note(b, context);
    }
    errno = saved;
}

// ThreadSanitizer holds signals back until the thread calls into libc, which a loop in Lua never does. This name
// installs the handler past the sanitizer.
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

// Installs the signal's handler, once; false if that fails.
bool kill_prepare(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    stuck_prepare();
    return __sigaction(kill_signal, &action, NULL) == 0;
}

void bridgeKillAfter(Bridge *b, int32_t count)
{
    b->kill_after = count;
}
