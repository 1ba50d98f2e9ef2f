// Generations: a bundle of scripts run beside the live one in the same state, with its own environments, modules and
// handlers. The candidate has no effect until it is committed; dropping it leaves the live one as it was. Connections
// and their data belong to no generation. Here a generation begins, is sealed, migrated and committed, and ends.
//
// Allocates: two blocks per generation besides what its Lua code takes. Read next: load.c, kept.c, classes.c.
#include <stdlib.h>

#include "CLinux.h"
#include "candidate.h"
#include "Events/events.h"
#include "Sandbox/sandbox.h"

// The collector has freed a generation's sentinel: no code of the generation is left. [sentinel] -> []
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

// Sets the globals that the generation's files share: a copy of the template, and `require`.
// [generation] -> [generation]
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

// Runs a function that only moves existing values and so must not fail: the limits are for scripts.
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

// Puts the candidate's classes and states in place of the live ones. The memory for that is not counted against the
// candidate.
static void enter_candidate(Bridge *b)
{
    size_t before = b->memory;
    run_unfailing(b, swap_body);
    b->allowance = b->memory > before ? b->memory - before : 0;
}

// Puts the live classes and states back. The tables that held them are garbage now.
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

// Commits the candidate's classes and states, and drops its lists, which have no other use. [] -> []
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
