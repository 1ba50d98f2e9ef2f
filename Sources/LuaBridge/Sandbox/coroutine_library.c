// coroutine.create, resume, wrap and close as scripts get them. They record the coroutine that runs, so that the
// watchdog finds it. The kill of an event passes through them. A handler may wait inside a coroutine that it has made,
// and then the whole chain waits. Lua 5.4.4 misreads a coroutine's stack in a concatenation if the stack has to grow,
// so each coroutine starts with room.
//
// Read next: ../Events/wait.c.
#include "libraries.h"
#include "Events/events.h"
#include "Watchdog/watchdog.h"

// The result of resuming a coroutine, if it is not the number of values that it left on the caller's stack.
enum { resume_failed = -1, resume_waits = -2, resume_dead = -3 };

// [... arguments] of `from` -> [... results | error | nothing]
static int resume(lua_State *L, lua_State *co, int arguments)
{
    check_stack_left(L);
    Bridge *b = bridge_of(L);
    int before = lua_status(co);
    if (before != LUA_OK && before != LUA_YIELD) { // it failed, or was killed
        lua_pop(L, arguments);
        lua_pushliteral(L, "cannot resume dead coroutine");
        return resume_dead;
    }
    if (!lua_checkstack(co, arguments)) {
        lua_pop(L, arguments);
        lua_pushliteral(L, "too many arguments to resume");
        return resume_failed;
    }
    lua_xmove(L, co, arguments);
    bool could_wait = b->can_wait;
    b->can_wait = could_wait && lua_isyieldable(L);
    b->current = co;
    hook_if_killed(b, co);
    int count;
    int status = lua_resume(co, L, arguments, &count);
    b->current = L;
    b->can_wait = could_wait;
    check_killed(L);
    if (status == LUA_YIELD && b->asked) {
        return resume_waits;
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return resume_failed;
    }
    if (!lua_checkstack(L, count + 1)) {
        lua_pop(co, count);
        lua_pushliteral(L, "too many results to resume");
        return resume_failed;
    }
    lua_xmove(co, L, count);
    return count;
}

// Unwinds a coroutine; its variables' __close run in it. Older libraries count C calls from zero there. [...] -> [...]
static int unwind(lua_State *L, lua_State *co)
{
    check_stack_left(L);
    Bridge *b = bridge_of(L);
    b->current = co;
    hook_if_killed(b, co);
#if LUA_VERSION_RELEASE_NUM >= 50406
    int status = lua_closethread(co, L);
#else
    int status = lua_resetthread(co);
#endif
    b->current = L;
    return status;
}

static lua_State *check_thread(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co != NULL, 1, "thread");
    return co;
}

// [results... | error] -> [results...]
static int body_done(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) : lua_error(L);
}

// The bottom of a script's coroutine: a protected call, because otherwise hooks would not work again after a hook has
// raised an error, and variables that are closed then would run unwatched. The upvalue is the function.
// [arguments...] -> [results...]
static int body(lua_State *L)
{
    check_stack_left(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    return body_done(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_done), 0);
}

// [f] -> [... thread]
static void push_coroutine(lua_State *L, const char *function)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    count_check(L, function);
    lua_State *co = lua_newthread(L);
    ensure_stack(L, co);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, body, 1);
    lua_xmove(L, co, 1);
}

// [f] -> [... thread]
static int create(lua_State *L)
{
    push_coroutine(L, "coroutine.create");
    return 1;
}

static int finish_resume(lua_State *L, lua_State *co, int count);

// The chain goes on: the inner coroutine has its answer. [thread ...] -> [boolean results...]
static int resume_woken(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_settop(L, 1);
    lua_State *co = lua_tothread(L, 1);
    return finish_resume(L, co, resume(L, co, 0));
}

// [thread ... results... | error] -> [... boolean results...]
static int finish_resume(lua_State *L, lua_State *co, int count)
{
    (void)co;
    if (count == resume_waits) {
        return lua_yieldk(L, 0, 0, resume_woken);
    }
    lua_pushboolean(L, count >= 0);
    int values = count >= 0 ? count : 1;
    lua_insert(L, -(values + 1));
    return values + 1;
}

// [thread arguments...] -> [boolean results...]
static int guarded_resume(lua_State *L)
{
    lua_State *co = check_thread(L);
    return finish_resume(L, co, resume(L, co, lua_gettop(L) - 1));
}

// Raises the error of a wrapped coroutine, with the caller's place before it. [... error] -> never returns
static int raise_wrapped(lua_State *L, lua_State *co, bool was_dead)
{
    int status = was_dead ? LUA_OK : lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) { // it failed, and its variables are still to be closed
        status = unwind(L, co);
        check_killed(L);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int finish_wrapped(lua_State *L, lua_State *co, int count);

// [...] -> [results...]
static int wrapped_woken(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_settop(L, 0);
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return finish_wrapped(L, co, resume(L, co, 0));
}

// [results... | error] -> [results...]
static int finish_wrapped(lua_State *L, lua_State *co, int count)
{
    if (count == resume_waits) {
        return lua_yieldk(L, 0, 0, wrapped_woken);
    }
    return count >= 0 ? count : raise_wrapped(L, co, count == resume_dead);
}

// A function that coroutine.wrap made. The upvalue is its coroutine. [arguments...] -> [results...]
static int call_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return finish_wrapped(L, co, resume(L, co, lua_gettop(L)));
}

// [f] -> [... function]
static int wrap(lua_State *L)
{
    push_coroutine(L, "coroutine.wrap");
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

// The status of a coroutine that cannot be closed, NULL for one that can.
static const char *why_not_closed(lua_State *L, lua_State *co)
{
    lua_Debug frame;
    if (L == co) {
        return "running";
    }
    return lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame) ? "normal" : NULL;
}

// [thread] -> [... true | false error]
static int close_coroutine(lua_State *L)
{
    lua_State *co = check_thread(L);
    const char *why = why_not_closed(L, co);
    if (why != NULL) {
        return luaL_error(L, "cannot close a %s coroutine", why);
    }
    int status = unwind(L, co);
    check_killed(L);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK) {
        return 1;
    }
    lua_xmove(co, L, 1);
    return 2;
}

// Replaces the functions in the library's table. [...] -> [...]
void coroutine_library_open(lua_State *L, int coroutine)
{
    static const luaL_Reg functions[] = {
        {"create", create}, {"resume", guarded_resume}, {"wrap", wrap}, {"close", close_coroutine}, {NULL, NULL},
    };
    lua_pushvalue(L, coroutine);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
