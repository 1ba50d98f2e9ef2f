// One thread for all Lua states of the process. Several times within the shortest limit it checks each state: whether
// Lua code runs there, whether it is still the same run, and how much CPU its thread has used since. CPU and not
// elapsed time counts, so a busy machine kills no handler. Over the warning the run is noted, over the budget it is
// killed, and a run that goes on after that is reported. The thread sleeps while no Lua code runs anywhere.
//
// Runs on: its own thread; the list of states is behind a lock that a worker takes only when it opens or closes its
// state.
// Read next: kill.c.
#define _GNU_SOURCE
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CLinux.h"
#include "LuaWatchdog.h"
#include "kill.h"
#include "stuck.h"

enum {
    quiet_rounds = 100, // without any Lua code, until the watchdog sleeps
    place_patience = 5000, // milliseconds for a stuck run to tell its place
};

_Atomic bool watchdog_asleep;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static pthread_once_t started = PTHREAD_ONCE_INIT;
static bool is_running;
static Bridge *watched;
static const Bridge *asked; // the state whose report is open

// Nanoseconds of CPU that a thread has used; -1 if it is gone. Its clock's number is made as the kernel's
// include/linux/posix-timers.h says, because pthread_getcpuclockid must not be called for a thread that may be gone.
static int64_t cpu_time(pid_t thread)
{
    struct timespec time;
    clockid_t clock = (clockid_t)((~(unsigned)thread << 3) | 6u);
    return clock_gettime(clock, &time) == 0 ? (int64_t)time.tv_sec * 1000000000 + time.tv_nsec : -1;
}

static void interrupt(Bridge *b)
{
    syscall(SYS_tgkill, getpid(), atomic_load(&b->thread), kill_signal);
}

static int64_t monotonic_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Asks the run for its place. One report is open at a time: the question waits while another one is, or while a thread
// that was asked before is still writing.
static void ask_for_place(Bridge *b, uint32_t epoch)
{
    uint32_t state = atomic_load(&stuck.state);
    if (asked != NULL || state % 4 == note_begun) {
        return;
    }
    asked = b;
    uint32_t report = (state / 4 + 1) & (UINT32_MAX / 4);
    atomic_store(&b->stuck_report, report);
    atomic_store(&stuck.state, report * 4 + note_wanted);
    atomic_store(&b->stuck_epoch, epoch);
    interrupt(b);
}

// Closes the report about a state, so that another one may begin. Returns whether the place is known.
static bool close_report(const Bridge *b)
{
    if (asked != b) {
        return false;
    }
    asked = NULL;
    uint32_t state = atomic_load(&stuck.state);
    if (state % 4 == note_wanted) {
        atomic_compare_exchange_strong(&stuck.state, &state, state - note_wanted + note_none);
    }
    return atomic_load(&stuck.state) % 4 == note_done;
}

static size_t describe_place(char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%.*s\nnative:", (int)stuck.lua_count, stuck.lua);
    char **names = backtrace_symbols(stuck.frames, stuck.frame_count);
    for (int i = 0; names != NULL && i < stuck.frame_count && used + 1 < size; i++) {
        int count = snprintf(text + used, size - used, "\n%s", names[i]);
        used += count > 0 ? (size_t)count : 0;
    }
    free(names);
    return used < size ? used : size - 1;
}

static void report_stuck(Bridge *b)
{
    static char place[8192];
    b->watch.stuck = true;
    size_t count = close_report(b) ? describe_place(place, sizeof place) : 0;
    scriptHostStuck(b->host, (BridgeBytes){place, count}, (double)b->watch.spent / 1e9);
    if (b->aborts_when_stuck) {
        abort();
    }
}

// Follows a run that was killed repeatedly and does not end: a C function that does not check for the kill. Its place
// is asked for, and the run is reported when the place is there. On a busy machine the thread may get no time to
// answer; then the report comes without a place, and no other state has had to wait.
static void follow_stuck(Bridge *b, uint32_t epoch)
{
    int64_t now = monotonic_milliseconds();
    if (b->watch.stuck_since == 0) {
        b->watch.stuck_since = now;
    }
    if (asked != b) {
        ask_for_place(b, epoch);
    }
    bool is_answered = asked == b && atomic_load(&stuck.state) % 4 == note_done;
    if (is_answered || now - b->watch.stuck_since >= place_patience) {
        report_stuck(b);
    }
}

static void judge(Bridge *b, uint32_t epoch, int64_t spent)
{
    int64_t budget = atomic_load_explicit(&b->slice_budget, memory_order_relaxed);
    if (budget > 0 && spent > budget) {
        atomic_store(&b->kill_epoch, epoch);
        interrupt(b);
    } else if (b->warning > 0 && !b->loading && !b->watch.warned && spent > (int64_t)(b->warning * 1e9)) {
        b->watch.warned = true;
        atomic_store(&b->warn_epoch, epoch);
        interrupt(b);
    }
    if (b->stuck_after > 0 && !b->watch.stuck && budget > 0 && spent > budget + (int64_t)(b->stuck_after * 1e9)) {
        b->watch.spent = spent;
        follow_stuck(b, epoch);
    }
}

// Checks a state. Returns whether Lua code runs in it, or has run since the last check.
static bool look_at(Bridge *b)
{
    uint32_t epoch = atomic_load_explicit(&b->epoch, memory_order_acquire);
    bool is_new = epoch != b->watch.epoch;
    if (is_new) {
        if (b->watch.stuck_since != 0 && !b->watch.stuck) { // it ended before its place was there
            report_stuck(b);
        }
        b->watch = (Watch){.epoch = epoch};
        b->watch.cpu_start = epoch % 2 == 1 ? cpu_time(atomic_load(&b->thread)) : -1;
    } else if (epoch % 2 == 1 && b->watch.cpu_start >= 0) {
        int64_t now = cpu_time(atomic_load(&b->thread));
        if (now >= 0) {
            judge(b, epoch, now - b->watch.cpu_start);
        }
    }
    return is_new || epoch % 2 == 1;
}

// A fifth of the shortest time that matters, from one millisecond to a tenth of a second.
static long tick_nanoseconds(void)
{
    double tick = 0.1;
    for (const Bridge *b = watched; b != NULL; b = b->next_watched) {
        double times[] = {b->event_budget / 5, b->load_budget / 5, b->warning / 2};
        for (int i = 0; i < LENGTH(times); i++) {
            tick = times[i] > 0 && times[i] < tick ? times[i] : tick;
        }
    }
    return (long)((tick < 0.001 ? 0.001 : tick) * 1e9);
}

static void wait_for(long nanoseconds, bool until_woken)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (end.tv_nsec + nanoseconds) / 1000000000;
    end.tv_nsec = (end.tv_nsec + nanoseconds) % 1000000000;
    if (until_woken) {
        pthread_cond_timedwait(&wake, &lock, &end);
        return;
    }
    pthread_mutex_unlock(&lock);
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL);
    pthread_mutex_lock(&lock);
}

static void *watch(void *context)
{
    (void)context;
    clinux_add_crash_stack(); // this thread ends with the process
    int quiet = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        bool active = false;
        for (Bridge *b = watched; b != NULL; b = b->next_watched) {
            active = look_at(b) || active;
        }
        quiet = active ? 0 : quiet + 1;
        atomic_store(&watchdog_asleep, quiet > quiet_rounds);
        // A worker that began just before this was stored has not seen it, so the thread checks once a second even
        // while it sleeps.
        wait_for(quiet > quiet_rounds ? 1000000000 : tick_nanoseconds(), quiet > quiet_rounds);
    }
    return NULL;
}

static void start(void)
{
    sigset_t all;
    sigset_t previous;
    sigfillset(&all);
    clinux_spare_crash_signals(&all);
    pthread_sigmask(SIG_BLOCK, &all, &previous);
    pthread_t thread;
    is_running = kill_prepare() && pthread_create(&thread, NULL, watch, NULL) == 0;
    if (is_running) {
        pthread_setname_np(thread, "perigee-watch");
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
}

void watchdog_wake(void)
{
    atomic_store(&watchdog_asleep, false);
    pthread_cond_signal(&wake);
}

// Begins to watch a state; false if there is no watchdog.
bool watchdog_add(Bridge *b)
{
    pthread_once(&started, start);
    pthread_mutex_lock(&lock);
    b->next_watched = watched;
    watched = b;
    pthread_mutex_unlock(&lock);
    watchdog_wake();
    return is_running;
}

void watchdog_remove(Bridge *b)
{
    pthread_mutex_lock(&lock);
    for (Bridge **link = &watched; *link != NULL; link = &(*link)->next_watched) {
        if (*link == b) {
            *link = b->next_watched;
            break;
        }
    }
    close_report(b);
    pthread_mutex_unlock(&lock);
}
