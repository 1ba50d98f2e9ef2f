// The state in which test files run: the sandbox of scripts, with the table `t` added. `t` is written in Lua and calls
// the host through one function, with a list of strings. So a test file is plain sequential Lua, while the scripts
// under test run in another state, which this one never touches.
//
// Read next: ScriptTesting/kit.lua.
#include <string.h>

#include "Events/events.h"
#include "State/state.h"

static const char kit_name[] = "=t";

// The place in the test file: the innermost line that is not in the kit. [] -> [place | ""]
static int push_place(lua_State *L)
{
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline > 0 && strcmp(frame.source, kit_name) != 0) {
            lua_pushfstring(L, "%s:%d", frame.short_src, frame.currentline);
            return 1;
        }
    }
    lua_pushliteral(L, "");
    return 1;
}

// fail(message): an error with the test file's place. [message] -> []
static int fail(lua_State *L)
{
    push_place(L);
    lua_pushliteral(L, ": ");
    push_as_text(L, 1, NULL);
    lua_concat(L, 3);
    return lua_error(L);
}

// call(command, ...): calls the host. [strings...] -> [... strings...]
static int call(lua_State *L)
{
    Bridge *b = bridge_of(L);
    int count = lua_gettop(L);
    strings_reset(&b->answer);
    for (int i = 1; i <= count; i++) {
        size_t size;
        const char *bytes = luaL_checklstring(L, i, &size);
        bridgeStringsAppend(&b->answer, bytes, size);
    }
    strings_check(L, &b->answer);
    strings_reset(&b->text);
    bool done = scriptHostTest(b->host, &b->answer, &b->text);
    strings_check(L, &b->text);
    lua_settop(L, 0);
    size_t offset = 0;
    size_t size;
    const char *bytes;
    while ((bytes = bridgeStringsNext(&b->text, &offset, &size)) != NULL) {
        luaL_checkstack(L, 8, NULL);
        lua_pushlstring(L, bytes, size);
    }
    strings_trim(&b->text);
    strings_trim(&b->answer);
    return done ? lua_gettop(L) : fail(L);
}

// [source] -> []
static int install_body(lua_State *L)
{
    const BridgeBytes *source = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.globals);
    if (luaL_loadbufferx(L, source->bytes, source->count, kit_name, "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_pushvalue(L, 2);
    lua_setupvalue(L, 3, 1);
    lua_pushcfunction(L, call);
    lua_pushcfunction(L, fail);
    lua_pushcfunction(L, push_place);
    lua_call(L, 3, 1);
    push_readonly(L, "t", true);
    lua_setfield(L, 2, "t");
    return 0;
}

bool bridgeInstallTestKit(Bridge *b, BridgeBytes source)
{
    return run_protected(b, install_body, &source, b->event_budget) == BridgeOutcomeDone;
}
