// stick(seconds): a function of C that loops and does not ask whether the event is being killed, as none of the bridge's does.
// For the tests of what the watchdog does then: in debug builds alone, and only where the environment asks for it.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#ifdef DEBUG

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

enum { long_text = 1 << 20 };

// stick(seconds, library): of CPU; within Lua's library if asked. [seconds library] -> [... text text]
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

// [globals] -> [globals]
void stick_open(lua_State *L)
{
    if (getenv("PERIGEETEST_STICK") != NULL) {
        lua_pushcfunction(L, stick);
        lua_setfield(L, -2, "stick");
    }
}

#else

// [globals] -> [globals]
void stick_open(lua_State *L)
{
    (void)L;
}

#endif
