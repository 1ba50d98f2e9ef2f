// An event that has used up its budget is killed: an error that no code of a script can catch. There is no hook while
// all is well, because it would double the cost of a script's loops. The watchdog's thread signals the worker's, and
// the signal's handler, in the middle of whatever runs, sets a flag and gives the running coroutine a hook, which raises
// the error between two instructions (lua_sethook is documented as safe in a signal handler). What loops in C asks for
// the flag every thousand steps or so. Own pcall, xpcall, resume and close raise it again, and every coroutine that the
// error passes through gets the hook, so that nothing runs for long on the way out.
//
// Read next: watchdog.c.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "stuck.h"

// The bridge whose Lua code runs on this thread, for the signal's handler.
static _Thread_local Bridge *volatile running_bridge __attribute__((tls_model("initial-exec")));
static _Thread_local pid_t this_thread __attribute__((tls_model("initial-exec")));

// Takes itself away where nothing is killed: coroutines that were made meanwhile carry it on. [] -> []
static void kill_hook(lua_State *L, lua_Debug *event)
{
    (void)event;
    if (bridge_of(L)->killed) {
        raise_killed(L);
    }
    lua_sethook(L, NULL, 0, 0);
}

// Notes where a handler is that takes long. [] -> []
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

// For tests: the instructions that the event was given are over. [] -> []
static void count_hook(lua_State *L, lua_Debug *event)
{
    (void)event;
    kill_running(L, BridgeKillBudget);
}

// Raises that the event is being killed. [...] -> never returns
_Noreturn void raise_killed(lua_State *L)
{
    Bridge *b = bridge_of(L);
    if (!b->kill_noted) {
        b->kill_noted = true;
        note_place(b, L, 0);
    }
    lua_sethook(L, kill_hook, LUA_MASKCOUNT, 1);
    lua_checkstack(L, 1); // without it, Lua still has room for one
    lua_pushlightuserdata(L, b); // needs no memory
    lua_error(L);
    abort();
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

// Raises when the running event is being killed. [...] -> [...]
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
    } else if (b->kill_after >= 0 && co != b->base) {
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
        // Setting a hook walks through all calls, hundreds of thousands in a deep recursion: once, or a signal every few
        // milliseconds would leave no time for anything else.
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

// The sanitizer for threads holds signals back until the thread calls into libc, which a loop in Lua
// never does; by this name the handler is installed past it.
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

// Installs the signal's handler, once; false when that is impossible.
bool kill_prepare(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    stuck_prepare();
    return __sigaction(kill_signal, &action, NULL) == 0;
}

// The thread's number; the first time, lets the signal through.
static pid_t thread_number(void)
{
    if (this_thread == 0) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, kill_signal);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        this_thread = (pid_t)syscall(SYS_gettid);
    }
    return this_thread;
}

// From here on Lua code runs, for at most `budget` seconds of CPU; 0 for no end. Never raises.
void slice_begin(Bridge *b, lua_State *co, double budget)
{
    b->running = true;
    b->stack_floor = stack_floor();
    b->was_refused = false;
    b->base = co;
    b->current = co;
    b->can_wait = true;
    b->asked = false;
    atomic_store_explicit(&b->thread, thread_number(), memory_order_relaxed);
    atomic_store_explicit(&b->slice_budget, (int64_t)(budget * 1e9), memory_order_relaxed);
    b->outer = running_bridge; // a test file's, of which the script under test is a part
    running_bridge = b;
    atomic_store_explicit(&b->epoch, atomic_load_explicit(&b->epoch, memory_order_relaxed) + 1, memory_order_release);
    if (atomic_load_explicit(&watchdog_asleep, memory_order_relaxed)) {
        watchdog_wake();
    }
    if (b->kill_after >= 0) {
        lua_sethook(co, count_hook, LUA_MASKCOUNT, b->kill_after + 1);
    }
}

// No Lua code runs any more. Never raises.
void slice_end(Bridge *b)
{
    atomic_store_explicit(&b->epoch, atomic_load_explicit(&b->epoch, memory_order_relaxed) + 1, memory_order_release);
    running_bridge = b->outer;
    b->running = false;
    b->received = NULL;
    b->killed = 0;
    b->kill_noted = false;
    b->noted = 0;
    if (b->slow_count > 0) {
        BridgeBytes traceback = {b->slow, b->slow_count};
        b->slow_count = 0;
        scriptHostSlow(b->host, traceback);
    }
}

void bridgeKillAfter(Bridge *b, int32_t count)
{
    b->kill_after = count;
}
