// stick(seconds): a function of C that loops and does not ask whether the event is being killed, as none of the bridge's does.
// For the tests of what the watchdog does then: in debug builds alone, and only where the environment asks for it.
#include <stdlib.h>
#include <time.h>

#include "internal.h"

#ifdef DEBUG

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// stick(seconds, library): of CPU; within Lua's library if asked. [seconds library] -> []
static int stick(lua_State *L)
{
    double end = cpu_seconds() + luaL_checknumber(L, 1);
    volatile unsigned spins = 0;
    while (cpu_seconds() < end) {
        if (lua_toboolean(L, 2)) {
            for (int i = 0; i < 10000; i++) {
                lua_pushfstring(L, "%d %d %d", i, i, i);
                lua_pop(L, 1);
            }
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
