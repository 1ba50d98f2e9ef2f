// Generations: a bundle of scripts run beside the live one in the same state, with environments, modules and handlers
// of its own. The candidate has no effect until it is committed; dropping it leaves the live one as it was. Connections
// and their data belong to no generation.
//
// Allocates: two blocks per generation besides what its Lua code takes. Read next: ../Sandbox/environment.c, ../Sandbox/require.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CLinux.h"
#include "internal.h"

typedef struct Load {
    const BridgeSource *source;
    int script;
} Load;

// Seconds of CPU that this thread has had.
static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// The collector took a generation's last trace. [sentinel] -> []
static int sentinel_gone(lua_State *L)
{
    bridge_of(L)->generations_alive -= 1;
    return 0;
}

// An object that lives as long as any code of the generation. [] -> [sentinel]
static void push_sentinel(lua_State *L)
{
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, sentinel_gone);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    bridge_of(L)->generations_alive += 1;
}

// What the generation's files share: a copy of the globals, and `require`. [generation] -> [generation]
static void set_globals(lua_State *L)
{
    Bridge *b = bridge_of(L);
    int generation = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.globals);
    lua_createtable(L, 0, 40); // [generation template globals]
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    push_require(L, generation);
    lua_setfield(L, -2, "require");
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.undefined);
    lua_setmetatable(L, -2);
    lua_setfield(L, generation, "globals");
    lua_pop(L, 1);
}

// [generation] -> []
static int begin_body(lua_State *L)
{
    Generation *generation = lua_touserdata(L, 1);
    lua_createtable(L, 0, 7);
    push_sentinel(L);
    lua_setfield(L, -2, "sentinel");
    lua_newtable(L);
    lua_setfield(L, -2, "modules");
    lua_newtable(L);
    lua_setfield(L, -2, "scripts");
    lua_newtable(L);
    lua_setfield(L, -2, "states");
    lua_newtable(L);
    lua_setfield(L, -2, "classes");
    lua_newtable(L);
    lua_setfield(L, -2, "shielded");
    lua_newtable(L);
    make_weak(L, "k");
    lua_setfield(L, -2, "metatables");
    set_globals(L);
    generation->table = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static Generation *make(uint64_t version, int script_count)
{
    size_t slots = (size_t)script_count * bridgeEventCount;
    Generation *generation = malloc(sizeof *generation);
    int *handlers = malloc((slots + 1) * sizeof *handlers);
    if (generation == NULL || handlers == NULL) {
        free(generation);
        free(handlers);
        return NULL;
    }
    for (size_t i = 0; i < slots; i++) {
        handlers[i] = LUA_NOREF;
    }
    *generation = (Generation){
        .version = version, .script_count = script_count, .table = LUA_NOREF, .handlers = handlers, .is_filling = true,
    };
    return generation;
}

bool bridgeBegin(Bridge *b, uint64_t version, int32_t script_count)
{
    b->candidate = make(version, script_count);
    if (b->candidate == NULL) {
        failure_set(b, "not enough memory");
        return false;
    }
    b->load_left = b->load_budget;
    if (run_protected(b, begin_body, b->candidate, 0) != BridgeOutcomeDone) {
        bridgeDiscard(b);
        return false;
    }
    return true;
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

// Adds the handlers of a returned table to those that the file defined. [... handlers returned] -> [... handlers
// returned]
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

// Runs what only moves things that are there, and so must not fail: the limits are for scripts.
static void run_unfailing(Bridge *b, lua_CFunction body)
{
    b->unlimited = true;
    lua_pushcfunction(b->main, body);
    if (lua_pcall(b->main, 0, 0, 0) != LUA_OK) {
        clinux_die("no memory to change from one version of the scripts to the next");
    }
    b->unlimited = false;
}

// [] -> []
static int swap_body(lua_State *L)
{
    swap_declared(L);
    return 0;
}

// Puts what the candidate declared in the place of what is live. What that takes is not the candidate's doing.
static void enter_candidate(Bridge *b)
{
    size_t before = b->memory;
    run_unfailing(b, swap_body);
    b->allowance = b->memory > before ? b->memory - before : 0;
}

// Puts what is live back. What was kept beside it is garbage now.
static void leave_candidate(Bridge *b)
{
    run_unfailing(b, swap_body);
    b->allowance = 0;
}

// [argument] -> []
static int create_body(lua_State *L)
{
    fill_states(L, false);
    check_classes(L);
    check_metatables(L);
    return 0;
}

// [argument] -> []
static int migrate_body(lua_State *L)
{
    fill_states(L, true);
    check_classes(L);
    check_metatables(L);
    return 0;
}

// Runs functions of the candidate that fill states, with its classes in place.
static bool run_filling(Bridge *b, lua_CFunction body, double budget)
{
    b->loading = true;
    bool filled = run_protected(b, body, NULL, budget) == BridgeOutcomeDone;
    b->loading = false;
    return filled;
}

bool bridgeSeal(Bridge *b)
{
    if (!run_filling(b, create_body, b->load_left)) {
        return false;
    }
    leave_candidate(b);
    b->candidate->is_filling = false;
    return true;
}

bool bridgeNeedsMigration(const Bridge *b)
{
    return b->candidate != NULL && b->candidate->migrations > 0;
}

bool bridgeMigrate(Bridge *b)
{
    enter_candidate(b);
    bool migrated = run_filling(b, migrate_body, b->load_budget);
    leave_candidate(b);
    if (migrated) {
        b->candidate->migrations = 0;
    }
    return migrated;
}

// Drops every reference to a generation. Never raises.
static void retire(Bridge *b, Generation *generation)
{
    if (generation == NULL) {
        return;
    }
    for (int i = 0; i < generation->script_count * bridgeEventCount; i++) {
        luaL_unref(b->main, LUA_REGISTRYINDEX, generation->handlers[i]);
    }
    luaL_unref(b->main, LUA_REGISTRYINDEX, generation->table);
    free(generation->handlers);
    free(generation);
}

// The last use of what the candidate declared. [] -> []
static int commit_body(lua_State *L)
{
    swap_classes(L);
    commit_states(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    lua_pushnil(L);
    lua_setfield(L, -2, "states");
    lua_pushnil(L);
    lua_setfield(L, -2, "classes");
    lua_pushnil(L);
    lua_setfield(L, -2, "shielded");
    lua_pushnil(L);
    lua_setfield(L, -2, "metatables");
    return 0;
}

void bridgeCommit(Bridge *b)
{
    run_unfailing(b, commit_body);
    retire(b, b->live);
    b->live = b->candidate;
    b->candidate = NULL;
}

void bridgeDiscard(Bridge *b)
{
    if (b->candidate != NULL && b->candidate->table != LUA_NOREF && b->candidate->is_filling) {
        leave_candidate(b);
    }
    retire(b, b->candidate);
    b->candidate = NULL;
}

void generations_close(Bridge *b)
{
    if (b->live != NULL) {
        free(b->live->handlers);
    }
    free(b->live);
    if (b->candidate != NULL) {
        free(b->candidate->handlers);
    }
    free(b->candidate);
}

bool bridgeDefines(const Bridge *b, int32_t script, BridgeEvent event)
{
    const Generation *live = b->live;
    return live != NULL && script >= 0 && script < live->script_count
           && live->handlers[script * bridgeEventCount + event] != LUA_NOREF;
}

uint32_t bridgeGenerationsAlive(const Bridge *b)
{
    return b->generations_alive;
}
