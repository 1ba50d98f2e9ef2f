// Loading a candidate: each file is compiled with its own environment, the top level of each script runs, and the
// handlers that it defines or returns are kept.
//
// Read next: ../Sandbox/environment.c, ../Sandbox/require.c.
#include <time.h>

#include "reload.h"
#include "Events/events.h"
#include "Sandbox/sandbox.h"

typedef struct Load {
    const BridgeSource *source;
    int script;
} Load;

// Seconds of CPU that this thread has used.
static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// Compiles text, never bytecode, and keeps it with its environment: a script as {chunk, handlers, file} by number, a
// module by name. [load] -> []
static int compile_body(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const BridgeSource *source = ((const Load *)lua_touserdata(L, 1))->source;
    bool is_script = source->script >= 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->candidate->table);
    lua_getfield(L, 2, is_script ? "scripts" : "modules");
    const char *chunk_name = lua_pushfstring(L, "@%s", source->file);
    if (luaL_loadbufferx(L, source->bytes, source->count, chunk_name, "t") != LUA_OK) {
        return lua_error(L);
    }
    refuse_old_bugs(L, source);
    lua_remove(L, -2);
    push_script_environment(L, 2, is_script); // [load generation list chunk handlers? environment]
    lua_setupvalue(L, 4, 1);
    if (!is_script) {
        lua_setfield(L, 3, source->name);
        return 0;
    }
    lua_createtable(L, 3, 0);
    lua_insert(L, 4); // [load generation list entry chunk handlers]
    lua_rawseti(L, 4, 2);
    lua_rawseti(L, 4, 1);
    lua_pushstring(L, source->file);
    lua_rawseti(L, 4, 3);
    lua_rawseti(L, 3, source->script);
    return 0;
}

bool bridgeCompile(Bridge *b, const BridgeSource *source)
{
    Load load = {.source = source};
    b->loading = true;
    bool compiled = run_protected(b, compile_body, &load, 0) == BridgeOutcomeDone;
    b->loading = false;
    return compiled;
}

// Adds the handlers of a returned table to those that the file defined.
// [... handlers returned] -> [... handlers returned]
static void merge_returned(lua_State *L, const char *file, int handlers, int returned)
{
    if (lua_isnil(L, returned)) {
        return;
    }
    if (!lua_istable(L, returned)) {
        luaL_error(L, "%s: a script returns a table of handlers or nothing, not %s", file, luaL_typename(L, returned));
    }
    for (lua_pushnil(L); lua_next(L, returned) != 0; lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
        if (lua_type(L, -2) != LUA_TSTRING || event_named(name) < 0) {
            const char *nearest = nearest_name(event_names, bridgeEventCount, name);
            luaL_error(L, "%s: unknown handler '%s'%s%s%s", file, name, nearest == NULL ? "" : "; did you mean '",
                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
        }
        if (!lua_isfunction(L, -1)) {
            luaL_error(L, "%s: %s must be a function, not %s", file, name, luaL_typename(L, -1));
        }
        lua_pushvalue(L, -2);
        if (lua_rawget(L, handlers) != LUA_TNIL) {
            luaL_error(L, "%s: %s is defined twice, as a function of the file and in the returned table", file, name);
        }
        lua_pop(L, 1);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, handlers);
    }
}

// The top level has returned; its handlers are kept. The context is the script's number.
// [load generation scripts entry handlers file note_error returned | error] -> []
static int keep_handlers(lua_State *L, int status, lua_KContext script)
{
    if (status != LUA_OK && status != LUA_YIELD) { // Lua's word for "went on after an error that was caught"
        return lua_error(L);
    }
    lua_remove(L, 7);
    merge_returned(L, lua_tostring(L, 6), 5, 7);
    lua_pushnil(L);
    lua_rawseti(L, 3, script);
    int *handlers = bridge_of(L)->candidate->handlers + script * bridgeEventCount;
    for (int event = 0; event < bridgeEventCount; event++) {
        lua_pushstring(L, event_names[event]);
        if (lua_rawget(L, 5) == LUA_TNIL) {
            lua_pop(L, 1);
        } else {
            handlers[event] = luaL_ref(L, LUA_REGISTRYINDEX);
        }
    }
    return 0;
}

// [load] -> []
static int run_body(lua_State *L)
{
    int script = ((const Load *)lua_touserdata(L, 1))->script;
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    lua_getfield(L, 2, "scripts");
    lua_rawgeti(L, 3, script);
    lua_rawgeti(L, 4, 2);
    lua_rawgeti(L, 4, 3);
    lua_rawgeti(L, 4, 1); // [load generation scripts entry handlers file chunk]
    return call_noted(L, 0, 1, script, keep_handlers);
}

bool bridgeRun(Bridge *b, int32_t script)
{
    Load load = {.script = script};
    b->loading = true;
    b->declaring = true;
    double start = cpu_seconds();
    bool ran = run_protected(b, run_body, &load, b->load_left) == BridgeOutcomeDone;
    b->declaring = false;
    b->loading = false;
    double left = b->load_left - (cpu_seconds() - start);
    b->load_left = left > 1e-6 ? left : 1e-6;
    return ran;
}
