// How far the C stack of a thread may be used. Lua counts its C calls, but a coroutine that is closed counts from
// zero, stacks have different sizes, and a call of one function takes ten times what another takes: so the bridge looks
// at the address that it has come to, wherever it calls back into Lua.
//
// Between two looks Lua may run metamethods of its own accord, 200 calls deep and 90 KiB at most. Below that there must
// be room for what such a call calls: an error with its traceback, a host function, the signal's handler.
//
// Read next: internal.h, check_stack_left.
#define _GNU_SOURCE
#include <pthread.h>

#include "internal.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

enum {
    metamethods = 96 << 10,
#ifdef SANITIZED
    last_calls = 256 << 10, // frames are several times as large
#else
    last_calls = 64 << 10,
#endif
    least_known = 256 << 10, // what is left where the thread's stack is not known
};

static _Thread_local uintptr_t floor_of_thread __attribute__((tls_model("initial-exec")));

// The lowest address of this thread's stack.
static uintptr_t lowest_address(void)
{
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    size_t guard = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &lowest, &size);
        pthread_attr_getguardsize(&attributes, &guard);
        pthread_attr_destroy(&attributes);
    }
    return lowest == NULL ? (uintptr_t)__builtin_frame_address(0) - least_known : (uintptr_t)lowest + guard;
}

// The lowest address at which C may still call into Lua on this thread. Never raises.
uintptr_t stack_floor(void)
{
    if (floor_of_thread == 0) {
        floor_of_thread = lowest_address() + metamethods + last_calls;
    }
    return floor_of_thread;
}

// [...] -> never returns
_Noreturn void raise_stack_overflow(lua_State *L)
{
    luaL_error(L, "stack overflow: the thread's stack is used up");
    __builtin_unreachable();
}
