// Functions of C that break the bridge's rules: stick(seconds, how) loops without checking whether the event is being
// killed, crash(how) ends the process with a fault. They are for tests: they exist in debug builds only, and only if
// the environment asks for them.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CLinux.h"
#include "tools.h"

#ifdef DEBUG

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

enum { long_text = 1 << 20 };

// stick(seconds, how): takes CPU time, within Lua's library if told how by "library". If told "late", it lets no signal
// through in the first third of its time, as if the thread had none.
// [seconds how] -> [... text text]
static int stick(lua_State *L)
{
    lua_settop(L, 2);
    double seconds = luaL_checknumber(L, 1);
    const char *how = luaL_checkstring(L, 2);
    for (int i = 0; i < 2; i++) {
        luaL_Buffer zeros;
        memset(luaL_buffinitsize(L, &zeros, long_text), 0, long_text);
        luaL_pushresultsize(&zeros, long_text);
    }
    bool in_library = strcmp(how, "library") == 0;
    bool is_late = strcmp(how, "late") == 0;
    double start = cpu_seconds();
    sigset_t blocked;
    sigset_t previous;
    sigemptyset(&blocked);
    if (is_late) {
        sigfillset(&blocked);
        clinux_spare_crash_signals(&blocked);
    }
    pthread_sigmask(SIG_BLOCK, &blocked, &previous);
    volatile unsigned spins = 0;
    while (cpu_seconds() < start + seconds) {
        if (is_late && cpu_seconds() > start + seconds / 3) {
            pthread_sigmask(SIG_SETMASK, &previous, NULL);
            is_late = false;
        }
        if (in_library) {
            lua_compare(L, -1, -2, LUA_OPLT); // reads them zero by zero
        } else {
            for (int i = 0; i < 1000000; i++) {
                spins++;
            }
        }
    }
    return 0;
}

static int overflow(volatile char *above)
{
    volatile char room[4096];
    room[0] = above[0];
    return room[0] != 0 ? 0 : overflow(room) + room[0];
}

// crash(how): by "overflow" of the stack, a "trap" instruction, or a "panic" of the bridge. [how] -> never returns
static int crash(lua_State *L)
{
    const char *how = luaL_checkstring(L, 1);
    volatile char first = 0;
    if (strcmp(how, "overflow") == 0) {
        return overflow(&first);
    }
    if (strcmp(how, "panic") == 0) {
        clinux_die("a test asked for it");
    }
    __builtin_trap();
}

// [globals] -> [globals]
void stick_open(lua_State *L)
{
    if (getenv("PERIGEETEST_STICK") != NULL) {
        lua_pushcfunction(L, stick);
        lua_setfield(L, -2, "stick");
        lua_pushcfunction(L, crash);
        lua_setfield(L, -2, "crash");
    }
}

#else

// [globals] -> [globals]
void stick_open(lua_State *L)
{
    (void)L;
}

#endif
