// Stands before glibc's getaddrinfo in the test executable. Every name is passed on but moves.test and
// those that end with hangs.test or stays.test.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "SlowResolver.h"

typedef int resolve(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static sem_t gate, second_gate;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char place[64] = "127.0.0.1";
static atomic_int blocked, staying;

static void open_gate(void) {
    sem_init(&gate, 0, 0);
    sem_init(&second_gate, 0, 0);
}

void resolver_release(int count) {
    pthread_once(&once, open_gate);
    for (int i = 0; i < count; i++) sem_post(&gate);
}

int resolver_blocked(void) { return atomic_load(&blocked); }

void resolver_let_go(int count) {
    pthread_once(&once, open_gate);
    for (int i = 0; i < count; i++) sem_post(&second_gate);
}

int resolver_staying(void) { return atomic_load(&staying); }

void resolver_move(const char *address) {
    pthread_mutex_lock(&lock);
    strncpy(place, address, sizeof place - 1);
    pthread_mutex_unlock(&lock);
}

static int hang(sem_t *at, atomic_int *count) {
    pthread_once(&once, open_gate);
    atomic_fetch_add(count, 1);
    while (sem_wait(at) != 0) {}
    atomic_fetch_sub(count, 1);
    return EAI_NONAME;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    static resolve *system_resolve;
    if (system_resolve == NULL) system_resolve = (resolve *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (node == NULL) return system_resolve(node, service, hints, result);
    size_t length = strlen(node);
    if (length >= 10 && strcmp(node + length - 10, "hangs.test") == 0) return hang(&gate, &blocked);
    if (length >= 10 && strcmp(node + length - 10, "stays.test") == 0) return hang(&second_gate, &staying);
    if (strcmp(node, "moves.test") != 0) return system_resolve(node, service, hints, result);
    char address[sizeof place];
    pthread_mutex_lock(&lock);
    memcpy(address, place, sizeof address);
    pthread_mutex_unlock(&lock);
    return system_resolve(address, service, hints, result);
}
