// The limit on the use of a thread's C stack. Lua counts its C calls, but a coroutine that is closed counts from zero,
// stacks have different sizes, and one function may take ten times the stack of another. So the bridge checks the
// address of its frame wherever it calls back into Lua.
//
// Between two checks Lua may run metamethods by itself, 200 calls deep and 90 KiB at most. Below that there must be
// room for the callees: an error with its traceback, a host function, the signal's handler.
//
// Read next: state.h, check_stack_left.
#define _GNU_SOURCE
#include <pthread.h>

#include "state.h"

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
    least_known = 256 << 10, // assumed to be left if the thread's stack is not known
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
