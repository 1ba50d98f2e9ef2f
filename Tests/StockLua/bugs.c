// Scripts that meet a known bug of older Lua libraries, each run by a process of its own, because it may end there.
#define _GNU_SOURCE
#include "StockLua.h"

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const scripts[] = {
    [StockLuaBugConcat] =
        "local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end\n"
        "local object = setmetatable({}, {__concat = function() deep(150) return 'X' end})\n"
        "for i = 1, 100 do\n"
        "  local join = coroutine.wrap(function() local a, b = 'a', 'b' return a .. b .. object .. 'c' .. 'd' end)\n"
        "  assert(join() == 'abX')\n"
        "end",
    [StockLuaBugClose] =
        "local last\n"
        "for i = 1, 20000 do\n"
        "  local previous = last\n"
        "  local object = setmetatable({}, {__close = function() if previous then coroutine.close(previous) end end})\n"
        "  last = coroutine.create(function() local x <close> = object coroutine.yield() end)\n"
        "  coroutine.resume(last)\n"
        "end\n"
        "coroutine.close(last)",
    [StockLuaBugWeakMetatable] =
        "local weak = {__mode = 'v'}\n"
        "setmetatable(weak, weak).__newindex = {}\n"
        "local t = setmetatable({}, weak)\n"
        "for i = 1, 20 do t[i] = i end",
};

// Refuses one allocation, the one after `*left` others.
static void *allocate(void *left, void *block, size_t old_size, size_t new_size)
{
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    size_t size = block == NULL ? 0 : old_size;
    if (new_size > size && *(long *)left >= 0 && (*(long *)left)-- == 0) {
        return NULL;
    }
    return realloc(block, new_size);
}

// False when an assertion of the script failed.
static bool run_refusing(const char *script, long refused)
{
    long left = -1;
    lua_State *L = lua_newstate(allocate, &left);
    luaL_openlibs(L);
    lua_gc(L, LUA_GCSTOP);
    luaL_loadstring(L, script);
    left = refused;
    bool ran = lua_pcall(L, 0, 0, 0) != LUA_ERRRUN;
    left = -1;
    lua_close(L);
    return ran;
}

static _Noreturn void run_child(StockLuaBug bug)
{
    static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGTRAP};
    close_range(0, ~0u, 0);
    mallopt(M_PERTURB, 165); // what was given back does not look as it did
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        signal(signals[i], SIG_DFL);
    }
    // The bug may have written over a list, which then never ends: the alarm ends the child.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGALRM, SIG_DFL);
    alarm(30);
    long most = bug == StockLuaBugWeakMetatable ? 100 : 0;
    for (long refused = most == 0 ? -1 : 0; refused < most; refused++) {
        if (!run_refusing(scripts[bug], refused)) {
            _exit(1);
        }
    }
    _exit(0);
}

StockLuaFate stockLuaMeet(StockLuaBug bug)
{
    pid_t child = fork();
    if (child == 0) {
        run_child(bug);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return StockLuaFateUnknown;
    }
    return WIFSIGNALED(status) ? StockLuaFateCrashed : WEXITSTATUS(status) == 0 ? StockLuaFateWell : StockLuaFateWrong;
}
