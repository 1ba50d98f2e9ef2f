// Functions of C that break the bridge's rules: stick(seconds) loops without checking whether the event is being
// killed, crash(how) ends the process with a fault. They are for tests: they exist in debug builds only, and only if
// the environment asks for them.
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

// stick(seconds, library): takes CPU time, within Lua's library if `library` is true.
// [seconds library] -> [... text text]
static int stick(lua_State *L)
{
    lua_settop(L, 2);
    for (int i = 0; i < 2; i++) {
        luaL_Buffer zeros;
        memset(luaL_buffinitsize(L, &zeros, long_text), 0, long_text);
        luaL_pushresultsize(&zeros, long_text);
    }
    double end = cpu_seconds() + luaL_checknumber(L, 1);
    volatile unsigned spins = 0;
    while (cpu_seconds() < end) {
        if (lua_toboolean(L, 2)) {
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
