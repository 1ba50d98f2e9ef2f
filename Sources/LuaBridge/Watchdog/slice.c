// A slice is one run of Lua code: an event, a part of one between two waits, or the top level of a file. At its
// beginning and its end the worker's thread tells the watchdog's thread what runs. ThreadSanitizer watches both
// functions, because neither is left by longjmp.
//
// Runs on: the worker's thread.
// Read next: watchdog.c.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "LuaWatchdog.h"
#include "kill.h"

// The bridge whose Lua code runs on this thread, for the signal's handler.
_Thread_local Bridge *volatile running_bridge;
static _Thread_local pid_t this_thread __attribute__((tls_model("initial-exec")));

// The thread's number; the first call also unblocks the signal.
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

// Begins a slice: Lua code runs for at most `budget` seconds of CPU; 0 for no limit. Never raises.
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
    hook_if_counted(b, co);
}

// Ends a slice: no Lua code runs any more. Never raises.
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
