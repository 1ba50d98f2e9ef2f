// The coroutines in which events run. To use one again costs no more than a protected call, a new one costs several
// times that; so they are kept. An event that waits keeps its coroutine, and the next one takes another.
#include "running.h"

enum { coroutine_slots = 400 }; // of stack from the start: Lua 5.4.4 misreads one that moves in a concatenation

// Gives a coroutine the stack size that it should have from the start. Raises in `L` if there is no memory. [] -> []
void ensure_stack(lua_State *L, lua_State *co)
{
    if (!lua_checkstack(co, coroutine_slots)) {
        luaL_error(L, "not enough memory");
    }
}

// Makes a coroutine and keeps it from the collector. [] -> [], and the reference is in the argument.
static int make(lua_State *L)
{
    Coroutine *made = lua_touserdata(L, 1);
    bridge_of(L)->makes_coroutine = true;
    made->state = lua_newthread(L);
    bridge_of(L)->makes_coroutine = false;
    ensure_stack(L, made->state);
    made->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

// An idle coroutine, or a new one; false when there is no memory for it. Never raises.
bool coroutine_take(Bridge *b, Coroutine *taken)
{
    if (b->idle_count > 0) {
        *taken = b->idle[--b->idle_count];
        return true;
    }
    lua_pushcfunction(b->main, make);
    lua_pushlightuserdata(b->main, taken);
    if (lua_pcall(b->main, 1, 0, 0) != LUA_OK) {
        b->makes_coroutine = false;
        lua_pop(b->main, 1);
        return false;
    }
    return true;
}

// Keeps a coroutine that has finished. Its stack is empty. Never raises.
void coroutine_give_back(Bridge *b, Coroutine coroutine)
{
    if (b->idle_count < idle_coroutines) {
        b->idle[b->idle_count++] = coroutine;
    } else {
        luaL_unref(b->main, LUA_REGISTRYINDEX, coroutine.reference);
    }
}

// Unwinds a coroutine that failed or waits, closing its variables: that runs Lua code, within the slice. Never raises.
void coroutine_unwind(Coroutine coroutine)
{
    lua_resetthread(coroutine.state);
    lua_settop(coroutine.state, 0);
}

// Keeps a coroutine that was unwound, if its stack can be reserved again. Never raises.
void coroutine_recover(Bridge *b, Coroutine coroutine)
{
    lua_sethook(coroutine.state, NULL, 0, 0);
    if (lua_checkstack(coroutine.state, coroutine_slots)) {
        coroutine_give_back(b, coroutine);
    } else {
        luaL_unref(b->main, LUA_REGISTRYINDEX, coroutine.reference);
    }
}
