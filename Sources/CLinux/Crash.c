// A crash waits for the log: the handler of its signals does nothing but wait, for a bounded time, until another thread has
// written what was queued, and then lets the signal take its course. The handler touches counters and sleeps; it takes no lock and
// allocates nothing, whatever the crashed thread was doing.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { crash_signal_count = 6 };

static const int crash_signals[crash_signal_count] = {SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE};
static struct sigaction actions_before[crash_signal_count];
static const clinux_progress *awaited;
static int longest_wait;
static pid_t working_thread;

void clinux_progress_ask(clinux_progress *progress) { __atomic_add_fetch(&progress->asked, 1, __ATOMIC_RELEASE); }

void clinux_progress_finish(clinux_progress *progress) { __atomic_add_fetch(&progress->done, 1, __ATOMIC_RELEASE); }

int clinux_progress_await(const clinux_progress *progress, int milliseconds) {
    uint64_t end = clinux_monotonic_nanoseconds() + (uint64_t)milliseconds * 1000000;
    uint64_t wanted = __atomic_load_n(&progress->asked, __ATOMIC_ACQUIRE);
    struct timespec pause = {.tv_nsec = 1000000};
    while (__atomic_load_n(&progress->done, __ATOMIC_ACQUIRE) < wanted) {
        if (clinux_monotonic_nanoseconds() >= end) return 0;
        nanosleep(&pause, 0);
    }
    return 1;
}

static pid_t this_thread(void) { return (pid_t)syscall(SYS_gettid); }

// The action of before meets the signal again: a fault comes back with its instruction, anything else is sent anew.
static void on_crash(int signal, siginfo_t *info, void *context) {
    (void)context;
    int code = errno;
    if (this_thread() != working_thread) clinux_progress_await(awaited, longest_wait);
    for (int i = 0; i < crash_signal_count; i++) {
        if (crash_signals[i] == signal) sigaction(signal, &actions_before[i], 0);
    }
    int comes_back = info->si_code > 0 && signal != SIGTRAP && signal != SIGABRT;
    if (!comes_back) syscall(SYS_tgkill, getpid(), this_thread(), signal);
    errno = code;
}

void clinux_await_before_crash(clinux_progress *progress, int milliseconds) {
    if (awaited) return;
    awaited = progress;
    longest_wait = milliseconds;
    working_thread = this_thread();
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < crash_signal_count; i++) sigaction(crash_signals[i], &action, &actions_before[i]);
}

void clinux_spare_crash_signals(sigset_t *set) {
    for (int i = 0; i < crash_signal_count; i++) sigdelset(set, crash_signals[i]);
}
