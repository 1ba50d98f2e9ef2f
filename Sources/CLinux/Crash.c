// A crash waits for the log: the handler of its signals does nothing but wait, for a bounded time, until another thread has
// written what was queued, and then lets the signal take its course. The handler touches counters and sleeps; it takes no lock
// and allocates nothing, because the crashed thread may have been anywhere.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { crash_signal_count = 6 };

static const int crash_signals[crash_signal_count] = {SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE};
static struct sigaction actions_before[crash_signal_count];
static const clinux_progress *_Atomic awaited; // set by one thread, read by all
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

int clinux_is_awaited_before_crash(const clinux_progress *progress) { return awaited == progress; }

void clinux_spare_crash_signals(sigset_t *set) {
    for (int i = 0; i < crash_signal_count; i++) sigdelset(set, crash_signals[i]);
}

// The handler needs a few hundred bytes, and the kernel's picture of the registers up to eleven thousand.
enum { crash_stack_size = 64 << 10 };

void *clinux_add_crash_stack(void) {
    stack_t present;
    if (sigaltstack(0, &present) != 0 || !(present.ss_flags & SS_DISABLE)) return 0;
    void *memory = mmap(0, crash_stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return 0;
    stack_t stack = {.ss_sp = memory, .ss_size = crash_stack_size};
    if (sigaltstack(&stack, 0) == 0) return memory;
    munmap(memory, crash_stack_size);
    return 0;
}

void clinux_remove_crash_stack(void *memory) {
    if (!memory) return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, 0);
    munmap(memory, crash_stack_size);
}

// Writes without waiting to any kind of descriptor; where the kernel cannot promise that, a writable one takes this much at
// once.
static ssize_t write_now(int fd, const char *bytes, size_t count) {
    ssize_t written = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written >= 0 || errno != ENOTSOCK) return written;
    struct iovec piece = {.iov_base = (char *)bytes, .iov_len = count < 512 ? count : 512};
    written = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    // A file system may answer so for ever, and say that the file is writable.
    if (written >= 0) return written;
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    if (poll(&writable, 1, 0) != 1) {
        errno = EAGAIN;
        return -1;
    }
    return write(fd, bytes, piece.iov_len);
}

int clinux_write_within(int fd, const void *bytes, size_t count, int milliseconds) {
    const char *rest = bytes;
    uint64_t end = clinux_monotonic_nanoseconds() + (uint64_t)milliseconds * 1000000;
    while (count > 0) {
        ssize_t written = write_now(fd, rest, count);
        if (written > 0) {
            rest += written;
            count -= (size_t)written;
            continue;
        }
        if (written == 0 || (errno != EAGAIN && errno != EINTR)) return 0;
        uint64_t now = clinux_monotonic_nanoseconds();
        if (now >= end) return 0;
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        poll(&writable, 1, (int)((end - now) / 1000000) + 1);
    }
    return 1;
}

void clinux_die(const char *words) {
    char line[512];
    int count = snprintf(line, sizeof line, "perigee: %s\n", words);
    if (count >= (int)sizeof line) count = sizeof line - 1;
    if (count > 0) clinux_write_within(STDERR_FILENO, line, (size_t)count, clinux_last_words_patience);
    abort();
}

void clinux_die_without_memory(size_t wanted) {
    char words[64];
    snprintf(words, sizeof words, "out of memory: %zu bytes", wanted);
    clinux_die(words);
}
