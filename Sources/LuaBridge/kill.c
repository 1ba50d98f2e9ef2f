// An event that has used up its budget is killed: an error that no code of a script can catch. Hooks raise it between
// two instructions; what loops in C asks here, every thousand steps or so.
#include "internal.h"

// Raises when the running event is being killed. [] -> []
void check_killed(lua_State *L)
{
    if (bridge_of(L)->killed) {
        luaL_error(L, "the handler has used up its time");
    }
}
