// The calls themselves, with the GNU extensions that the header must not ask for.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/un.h>
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

int clinux_unacknowledged(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : -errno;
}

ssize_t clinux_send_vector(int fd, const struct iovec *pieces, size_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    return sent >= 0 ? sent : -errno;
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

int clinux_thread_start(pthread_t *thread, size_t stack, void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    int failure = pthread_attr_init(&attributes);
    if (failure) return failure;
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &previous);
    failure = pthread_attr_setstacksize(&attributes, stack);
    if (!failure) failure = pthread_create(thread, &attributes, body, argument);
    pthread_sigmask(SIG_SETMASK, &previous, 0);
    pthread_attr_destroy(&attributes);
    return failure;
}

void clinux_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void clinux_keep_freed_memory(void) {
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

void clinux_give_memory_back(void) { malloc_trim(0); }

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
