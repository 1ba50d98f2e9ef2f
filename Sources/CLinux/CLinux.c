// The calls themselves, with the GNU extensions that the header must not ask for.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, fd, &event) == 0 ? 0 : -errno;
}

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    int count = epoll_wait(epoll, events, capacity, timeout);
    return count >= 0 ? count : -errno;
}

clinux_event clinux_event_at(const struct epoll_event *events, int index) {
    clinux_event event = {.token = events[index].data.u64, .events = events[index].events};
    return event;
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    int fd = accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

int clinux_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return bind(fd, address, length) == 0 ? 0 : -errno;
}

int clinux_local_address(int fd, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    return getsockname(fd, (struct sockaddr *)address, &length) == 0 ? 0 : -errno;
}

int clinux_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length) == 0 ? 0 : -errno;
}

static int unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memcpy(address->sun_path, path, length);
    return 0;
}

int clinux_bind_path(int fd, const char *path) {
    struct sockaddr_un address;
    int failure = unix_address(path, &address);
    return failure ? failure : clinux_bind(fd, (struct sockaddr *)&address, sizeof address);
}

int clinux_connect_path(int fd, const char *path) {
    struct sockaddr_un address;
    int failure = unix_address(path, &address);
    return failure ? failure : clinux_connect(fd, (struct sockaddr *)&address, sizeof address);
}

ssize_t clinux_receive(int fd, void *buffer, size_t capacity) {
    ssize_t count = recv(fd, buffer, capacity, 0);
    return count >= 0 ? count : -errno;
}

ssize_t clinux_send(int fd, const void *bytes, size_t count) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    return sent >= 0 ? sent : -errno;
}

void clinux_replace(int fd, int fresh) {
    dup3(fresh, fd, O_CLOEXEC);
    close(fresh);
}

int clinux_unread(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 ? count : -errno;
}

int clinux_unacknowledged(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : -errno;
}

ssize_t clinux_send_vector(int fd, const struct iovec *pieces, size_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    return sent >= 0 ? sent : -errno;
}

int64_t clinux_wall_clock_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t clinux_coarse_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t clinux_coarse_tick_nanoseconds(void) {
    struct timespec time;
    clock_getres(CLOCK_MONOTONIC_COARSE, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t clinux_thread_cpu_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t clinux_monotonic_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

ssize_t clinux_random(void *buffer, size_t count) {
    ssize_t filled = getrandom(buffer, count, 0);
    return filled >= 0 ? filled : -errno;
}

typedef struct {
    void *(*body)(void *);
    void *argument;
} thread_start;

static void *run_thread(void *context) {
    thread_start start = *(thread_start *)context;
    free(context);
    void *alternate = clinux_add_crash_stack();
    void *result = start.body(start.argument);
    clinux_remove_crash_stack(alternate);
    return result;
}

int clinux_thread_start(pthread_t *thread, size_t stack, void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    int failure = pthread_attr_init(&attributes);
    if (failure) return failure;
    thread_start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    *start = (thread_start){body, argument};
    sigset_t all, previous;
    sigfillset(&all);
    clinux_spare_crash_signals(&all);
    pthread_sigmask(SIG_BLOCK, &all, &previous);
    failure = pthread_attr_setstacksize(&attributes, stack);
    if (!failure) failure = pthread_create(thread, &attributes, run_thread, start);
    if (failure) free(start);
    pthread_sigmask(SIG_SETMASK, &previous, 0);
    pthread_attr_destroy(&attributes);
    return failure;
}

void clinux_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void clinux_tune_malloc(void) {
    mallopt(M_MXFAST, 0);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

void clinux_give_memory_back(void) { malloc_trim(0); }

int clinux_process_descriptor(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd >= 0 ? fd : -errno;
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

uint64_t clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return (uint64_t)limit.rlim_cur;
}

int clinux_run_on_core(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    return sched_setaffinity(0, sizeof cores, &cores) == 0 ? 0 : -errno;
}

int clinux_may_run_on_core(int core) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_ISSET(core, &cores);
}

int clinux_signal_descriptor(const sigset_t *set) {
    int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : -errno;
}

int clinux_next_signal(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int clinux_send_to_path(const char *path, const void *bytes, size_t count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    // An abstract name begins with a zero byte and has no other end than the address's length.
    if (path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size);
    int failure = sent >= 0 ? 0 : -errno;
    close(fd);
    return failure;
}

// Between vfork and execve the child runs in the parent's memory: it makes system calls, and writes its own id and nothing else.
static void become_program(const clinux_program *program, const int *descriptors) {
    int first = STDERR_FILENO + 1;
    for (int i = 0; i < program->descriptor_count; i++) {
        if (dup2(descriptors[i], first + i) < 0) return;
    }
    close_range((unsigned)(first + program->descriptor_count), ~0U, CLOSE_RANGE_CLOEXEC);
    char digits[12];
    int count = 0;
    for (unsigned rest = (unsigned)getpid(); rest > 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    for (int i = 0; i < count; i++) program->pid_text[i] = digits[count - 1 - i];
    program->pid_text[count] = 0;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &standard, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    execve(program->path, program->arguments, program->environment);
}

static pid_t start_with(const clinux_program *program, const int *descriptors) {
    volatile int failure = 0;
    pid_t pid = vfork();
    if (pid < 0) return -errno;
    if (pid == 0) {
        become_program(program, descriptors);
        failure = errno;
        _exit(127);
    }
    if (failure == 0) return pid;
    waitpid(pid, 0, 0);
    return -failure;
}

pid_t clinux_start_program(const clinux_program *program) {
    int count = program->descriptor_count, copied = 0;
    int *copies = calloc((size_t)count + 1, sizeof *copies);
    if (!copies) return -ENOMEM;
    // Out of the way of 3, 4, …, so that none is overwritten before it has been passed.
    while (copied < count) {
        int copy = fcntl(program->descriptors[copied], F_DUPFD_CLOEXEC, STDERR_FILENO + 1 + count);
        if (copy < 0) break;
        copies[copied++] = copy;
    }
    pid_t pid = copied == count ? start_with(program, copies) : -errno;
    while (copied > 0) close(copies[--copied]);
    free(copies);
    return pid;
}
