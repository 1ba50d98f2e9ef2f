// A Lua state from birth to death.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CLinux.h"
#include "LuaWatchdog.h"
#include "memory.h"
#include "API/api.h"
#include "API/series.h"
#include "API/signature.h"
#include "Events/events.h"
#include "Reload/reload.h"
#include "Sandbox/sandbox.h"

// Called for a Lua error outside of every protected call, which is a bug of the bridge. [error] -> never returns
static int panic(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    char words[256];
    snprintf(words, sizeof words, "unprotected error in the Lua bridge: %s", message == NULL ? "?" : message);
    clinux_die(words);
}

// `config`: the settings as a read-only table. [] -> [table]
static void push_config(lua_State *L, const char *settings, size_t count)
{
    char why[128];
    lua_pushlstring(L, settings, count);
    if (!json_decode(L, lua_tostring(L, -1), count, why, sizeof why)) {
        luaL_error(L, "scripts.settings: %s", why);
    }
    if (!lua_istable(L, -1)) {
        luaL_error(L, "scripts.settings: must be a JSON object");
    }
    push_readonly_deep(L, "config");
    lua_remove(L, -2);
}

// [] -> [string], kept
static int keep_name(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

// Makes the library create the metatable of its buffers now. If it ran out of memory half way later, it would never
// complete it, and no event could use a buffer again. [] -> []
static void buffers_open(lua_State *L)
{
    luaL_Buffer buffer;
    luaL_buffinitsize(L, &buffer, LUAL_BUFFERSIZE + 1);
    luaL_pushresultsize(&buffer, 0);
    lua_pop(L, 1);
}

// Sets up everything that a fresh state needs. [options] -> []
static int set_up(lua_State *L)
{
    Bridge *b = bridge_of(L);
    const BridgeOptions *options = lua_touserdata(L, 1);
    ensure_stack(L, L);
    metamethods_open(L);
    readonly_open(L);
    buffers_open(L);
    timers_open(L);
    states_open(L);
    classes_open(L);
    conn_open(L);
    environment_open(L);
    b->references.code = keep_name(L, "code");
    b->references.reason = keep_name(L, "reason");
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.globals);
    if (options->settings != NULL) {
        push_config(L, options->settings, options->settingsCount);
    } else {
        push_config(L, "{}", 2);
    }
    lua_setfield(L, -2, "config");
    return 0;
}

Bridge *bridgeOpen(const BridgeOptions *options, BridgeText *failure)
{
    Bridge *b = calloc(1, sizeof *b);
    if (b == NULL) {
        bridgeTextSet(failure, "not enough memory", 17);
        return NULL;
    }
    b->host = options->host;
    b->has_old_bugs = has_old_bugs();
    b->stack_floor = stack_floor();
    b->memory_limit = options->memoryLimit;
    b->block_limit = options->largestBlock;
    b->coroutine_limit = (uint32_t)options->coroutines;
    b->allocations_left = -1;
    b->load_budget = options->loadBudget;
    b->event_budget = options->budget;
    b->warning = options->warning;
    b->stuck_after = options->stuckAfter;
    b->aborts_when_stuck = options->abortsWhenStuck;
    b->wait_limit = (uint32_t)options->waitLimit;
    b->running_task = -1;
    b->kill_after = -1;
    b->series_limit = options->metricSeries;
    b->answer.bridge = b;
    b->text.bridge = b;
    b->makes_coroutine = true;
    b->main = lua_newstate(bridge_allocate, b);
    b->makes_coroutine = false;
    if (b->main == NULL) {
        bridgeTextSet(failure, "not enough memory", 17);
        bridgeClose(b);
        return NULL;
    }
    *(Bridge **)lua_getextraspace(b->main) = b;
    lua_atpanic(b->main, panic);
    lua_gc(b->main, LUA_GCINC, 200, 200, 10);
    lua_pushcfunction(b->main, set_up);
    lua_pushlightuserdata(b->main, (void *)options);
    if (lua_pcall(b->main, 1, 0, 0) != LUA_OK) {
        const char *message = lua_tostring(b->main, -1);
        bridgeTextSet(failure, message == NULL ? "?" : message, message == NULL ? 1 : strlen(message));
        bridgeClose(b);
        return NULL;
    }
    if (!watchdog_add(b)) {
        bridgeTextSet(failure, "the watchdog's thread cannot be started", 39);
        bridgeClose(b);
        return NULL;
    }
    return b;
}

void bridgeClose(Bridge *b)
{
    watchdog_remove(b);
    if (b->main != NULL) {
        lua_close(b->main);
    }
    generations_close(b);
    EVP_MD_CTX_free(b->digest);
    keys_free(b->keys);
    series_free(b->series);
    strings_release(&b->answer);
    strings_release(&b->text);
    free(b->tasks);
    free(b->coroutines.addresses);
    free(b);
}

const BridgeResult *bridgeResult(const Bridge *b)
{
    return &b->result;
}

void bridgeResultRead(Bridge *b)
{
    strings_trim(&b->answer);
    strings_trim(&b->text);
}

void bridgeLuaVersion(BridgeText *version)
{
    extern const char lua_ident[];
    const char *start = strstr(lua_ident, "Lua 5");
    start = start == NULL ? LUA_VERSION : start;
    bridgeTextSet(version, start, strcspn(start + 4, " ") + 4);
}

void bridgeCollect(Bridge *b)
{
    lua_gc(b->main, LUA_GCCOLLECT);
    lua_gc(b->main, LUA_GCCOLLECT);
}
