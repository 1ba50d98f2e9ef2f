// coroutine.create, wrap and close as scripts get them: Lua 5.4.4 misreads the stack of a young coroutine in a
// concatenation when it has to grow, so each starts with room; and coroutines that close one another are stopped before
// the C stack overflows. The upvalue is the original function.
#include "internal.h"

enum { close_depth = 50 };

// Calls the original with all arguments. [arguments...] -> [results...]
static void call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
}

// [f] -> [thread]
static int guarded_create(lua_State *L)
{
    count_check(L, "coroutine.create");
    call_original(L);
    ensure_stack(L, lua_tothread(L, -1));
    return 1;
}

// [f] -> [function]
static int guarded_wrap(lua_State *L)
{
    count_check(L, "coroutine.wrap");
    call_original(L);
    if (lua_getupvalue(L, -1, 1) != NULL) { // the thread that the function resumes
        ensure_stack(L, lua_tothread(L, -1));
        lua_pop(L, 1);
    }
    return 1;
}

// [thread] -> [true | false error]
static int guarded_close(lua_State *L)
{
    Bridge *b = bridge_of(L);
    if (b->closing_depth == close_depth && has_old_bugs()) {
        return luaL_error(L, "coroutine.close: too many coroutines close one another");
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    b->closing_depth += 1;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    b->closing_depth -= 1;
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

// [... coroutine] -> [... coroutine]
static void guard(lua_State *L, int coroutine, const char *name, lua_CFunction function)
{
    lua_getfield(L, coroutine, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, coroutine, name);
}

// Replaces the functions in the library's table. [...] -> [...]
void coroutine_guards_open(lua_State *L, int coroutine)
{
    guard(L, coroutine, "create", guarded_create);
    guard(L, coroutine, "wrap", guarded_wrap);
    guard(L, coroutine, "close", guarded_close);
}
