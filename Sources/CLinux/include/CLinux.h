// Calls that Swift's Glibc module lacks: epoll, eventfd, inotify, accept4 and thread creation with a stack size. Only thin
// wrappers live here; a result is what the system call gives, and errno comes back negated, because Swift could not read it in
// time. The header asks for no feature macros, so that its types are the same ones that Glibc's module has.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/// One readiness report, without the packed layout of `struct epoll_event` on x86-64.
typedef struct {
    uint64_t token;
    uint32_t events;
} clinux_event;

int clinux_epoll_create(void);
int clinux_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token);

/// Waits for events; returns how many were written to `out`, or -errno.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout);

clinux_event clinux_event_at(const struct epoll_event *events, int index);
int clinux_eventfd(void);

/// Accepts one connection as a non-blocking descriptor; returns it, or -errno.
int clinux_accept(int listener, struct sockaddr_storage *peer);

int clinux_bind(int fd, const struct sockaddr *address, socklen_t length);
int clinux_local_address(int fd, struct sockaddr_storage *address);
int clinux_connect(int fd, const struct sockaddr *address, socklen_t length);

/// `bind` and `connect` to the path of a UNIX socket of at most 107 bytes; 0 or -errno.
int clinux_bind_path(int fd, const char *path);
int clinux_connect_path(int fd, const char *path);

ssize_t clinux_receive(int fd, void *buffer, size_t capacity);
ssize_t clinux_send(int fd, const void *bytes, size_t count);

/// Bytes that have arrived and were not received, or -errno.
int clinux_unread(int fd);

/// Puts the open file of `fresh` in the place of `fd`, closed on exec, and closes `fresh`.
void clinux_replace(int fd, int fresh);

/// Bytes in the kernel's send queue that the peer has not acknowledged, or -errno.
int clinux_unacknowledged(int fd);

/// `writev` that never raises SIGPIPE.
ssize_t clinux_send_vector(int fd, const struct iovec *pieces, size_t count);

/// Fills the buffer from the kernel's generator; returns how many bytes, or -errno.
ssize_t clinux_random(void *buffer, size_t count);

uint64_t clinux_monotonic_nanoseconds(void);

/// Monotonic too, but it moves only with the kernel's tick, every few milliseconds; reading it takes a few nanoseconds.
uint64_t clinux_coarse_nanoseconds(void);

/// By how much that clock moves.
uint64_t clinux_coarse_tick_nanoseconds(void);

/// Of the CPU, that this thread has had.
uint64_t clinux_thread_cpu_nanoseconds(void);

/// Since 1970.
int64_t clinux_wall_clock_nanoseconds(void);

/// Starts a joinable thread with an explicit stack size, with another for the handler of a crash, and with the process's signals
/// blocked, but for those of a crash: a thread that blocks them dies of them without its handler. 0 or an errno.
int clinux_thread_start(pthread_t *thread, size_t stack, void *(*body)(void *), void *argument);

void clinux_thread_name(const char *name);

/// Sets malloc up for event loops. It keeps what was freed, up to 16 MiB, so that a stream of large messages does not give
/// pages back and fetch them again for each. And it puts small blocks together as they are freed, not hundreds of thousands of
/// them at once: after a cycle of Lua's collector that would hold a worker up for some 10 ms.
void clinux_tune_malloc(void);

/// Gives freed memory back to the system, as far as whole pages of it are free.
void clinux_give_memory_back(void);

/// A descriptor, closed on exec, that is readable when the process has ended; or -errno, -ESRCH when there is no such process.
int clinux_process_descriptor(pid_t pid);

/// Makes a pipe, its read end first, both ends closed on exec from the start; 0 or -errno.
int clinux_pipe(int ends[2]);

/// Adds "close every descriptor from `first` on" to the first actions of a new process; 0 or an errno.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// Raises the soft limit of open descriptors to the hard one; returns the limit then in force.
uint64_t clinux_raise_descriptor_limit(void);

/// Lets this thread, and all that it starts from here on, run on one core alone; 0 or -errno.
int clinux_run_on_core(int core);

/// Whether this thread may run on the core.
int clinux_may_run_on_core(int core);

/// A descriptor from which the signals of `set` are read, which must be blocked in every thread; or -errno.
int clinux_signal_descriptor(const sigset_t *set);

/// The next signal that waits at the descriptor, 0 when none does.
int clinux_next_signal(int fd);

/// Sends a datagram to a UNIX socket: a path, or with '@' in front the name of an abstract one; 0 or -errno.
int clinux_send_to_path(const char *path, const void *bytes, size_t count);

/// A program to start, with all that it needs made beforehand.
typedef struct {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// The place in `environment` for the new process's id in decimal, with a zero byte; room for 12 bytes.
    char *pid_text;
    /// The descriptors that the program inherits as 3, 4, … besides its standard streams; it inherits no others.
    const int *descriptors;
    int descriptor_count;
} clinux_program;

/// Starts the program with default signals, none blocked; its process id, or -errno.
pid_t clinux_start_program(const clinux_program *program);

/// Counts the work asked of one thread and the work done, for others that wait for it, a signal's handler among them.
typedef struct {
    uint64_t asked;
    uint64_t done;
} clinux_progress;

void clinux_progress_ask(clinux_progress *progress);
void clinux_progress_finish(clinux_progress *progress);

/// Waits until the work asked by now is done; 0 when that took longer than so many milliseconds. May be called from a signal's
/// handler.
int clinux_progress_await(const clinux_progress *progress, int milliseconds);

/// Before the process dies of a crash (SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE), waits until the work is done, at most so
/// many milliseconds. The thread whose work it is calls this; its own crashes wait for nothing. The earlier handlers of these
/// signals run afterwards.
void clinux_await_before_crash(clinux_progress *progress, int milliseconds);

/// Whether that is this one, which must then stay where it is.
int clinux_is_awaited_before_crash(const clinux_progress *progress);

/// Takes the signals of a crash out of a set.
void clinux_spare_crash_signals(sigset_t *set);

/// Gives this thread a stack of its own for a crash's handler, so that even a thread that has used up its own waits for the log; 0
/// where it has one already or there is no memory.
void *clinux_add_crash_stack(void);

/// Takes it away; does nothing for 0.
void clinux_remove_crash_stack(void *memory);

/// Writes all of the bytes unless that takes longer than so many milliseconds; 0 then, or when the descriptor takes none. A reader
/// that stalls does not stop this thread. May be called from a signal's handler.
int clinux_write_within(int fd, const void *bytes, size_t count, int milliseconds);

enum { clinux_last_words_patience = 1000 };

/// Says a line on standard error, if that takes it, and aborts: for a fault of the program's own.
void clinux_die(const char *words) __attribute__((noreturn));

/// The same for an allocation that must not fail.
void clinux_die_without_memory(size_t wanted) __attribute__((noreturn));
