// The bridge's state, for every folder: the struct `Bridge`, its strings, its memory, and read-only tables. The only
// header that includes Lua's.
//
// Above each function that touches the Lua stack stands a picture of it: [before] -> [after], top to the right; "|"
// parts alternatives. Functions that take a lua_State may raise a Lua error unless the comment says otherwise; so none
// of them owns memory when it calls into Lua. Everything that must live longer than an expression belongs to the Lua
// stack or to the Bridge.
//
// Each folder has one such header for the others: ../Events/events.h, ../Watchdog/watchdog.h, ../Sandbox/sandbox.h,
// ../Reload/reload.h, ../API/api.h, ../Tools/tools.h. Read next: ../Events/event.c.
#ifndef PERIGEE_BRIDGE_STATE_H
#define PERIGEE_BRIDGE_STATE_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>

#include "LuaBridge.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { idle_coroutines = 16 }; // kept for the next events

struct BridgeStrings {
    Bridge *bridge;
    char *bytes;
    size_t count;
    size_t capacity;
    bool failed; // an append found no memory
};

typedef struct Coroutine {
    lua_State *state;
    int reference;
} Coroutine;

// The watchdog's notes about a bridge; only its thread reads and writes them.
typedef struct Watch {
    uint32_t epoch;
    int64_t cpu_start;
    bool warned;
    bool stuck; // it was reported
    int64_t stuck_since; // milliseconds of the monotonic clock; 0 while it is not stuck
    int64_t spent; // CPU nanoseconds, once it is stuck
} Watch;

// The addresses of the coroutines that scripts have made.
typedef struct CoroutineCount {
    void **addresses; // a hash table
    uint32_t capacity;
    uint32_t count;
    size_t size; // of one
    uint32_t wanted; // since the last full collection, refused ones included
} CoroutineCount;

// The limit that the last refused allocation had reached.
typedef enum Refusal {
    refusal_memory,
    refusal_block,
    refusal_coroutines,
} Refusal;

// Registry references of the values that the bridge looks up by number.
typedef struct References {
    int globals;        // the names every file sees
    int undefined;      // metatable that refuses a read of an undeclared global
    int connections;    // slot + 1 -> conn
    int conn_metatable;
    int timers;         // function number -> function
    int states;         // name -> state, see kept.c
    int classes;        // name -> class, weak
    int class_names;    // class -> name, weak
    int unwrapped;      // read-only table -> the real table
    int mode;           // the name by which Lua knows __mode
    int in_use;         // table that was used as a metatable -> true, weak
    int code;           // "code"
    int reason;         // "reason"
} References;

struct Bridge {
    lua_State *main;
    void *host;

    size_t memory;
    size_t memory_limit;
    size_t allowance;           // bytes beyond the limit for live tables that are kept aside from a candidate; see Reload/classes.c
    size_t block_limit;         // 0 for none
    uint32_t coroutine_limit;   // 0 for none
    CoroutineCount coroutines;
    bool makes_coroutine;       // the bridge makes one for itself, which is not counted
    Refusal refusal;
    size_t refused_size;
    bool was_refused;         // an allocation of the running slice
    size_t collected;         // bytes after the last collection between events, or fewer if there were fewer since
    size_t collected_within;  // bytes after the last full collection, also within an event
    uint64_t collections;     // full ones
    volatile sig_atomic_t allocating; // Lua is inside the allocator, perhaps to move a stack
    uint64_t allocations;
    int64_t allocations_left; // negative: no end

    // The text of the message that the running event is about. It was checked when it came, so it need not be checked
    // when it is sent.
    const char *received;

    bool has_old_bugs; // the linked library; see old_bugs.c
    double set_time; // the time that scripts see; 0 for the real one

    bool running; // Lua code is on the stack
    Bridge *volatile outer; // ... and below it that of this bridge
    _Atomic bool loading; // ... and it is the top level of a file, or fills a state before the commit; the watchdog reads this
    bool declaring; // ... and it is the top level: states and classes can be declared
    bool unlimited; // the running code must not fail for lack of memory: it only moves existing values
    uintptr_t stack_floor; // the lowest address of the C stack at which C may still call into Lua
    lua_State *base;              // ... in this coroutine
    lua_State *volatile current;  // ... and just now in this one, which a script may have made
    volatile sig_atomic_t killed; // a BridgeKill: the event is being ended, and no code may catch that
    bool kill_noted;              // its place is in `traceback`
    size_t noted;                 // bytes of `traceback` with the place where it failed or was killed
    uint32_t events;
    double load_budget;
    double load_left;     // seconds of CPU that the candidate may still take
    double event_budget;
    double warning;
    double stuck_after;
    bool aborts_when_stuck;
    int32_t kill_after; // instructions; for tests

    // Shared by the worker, the watchdog and the signal's handler.
    _Atomic uint32_t epoch;       // odd while Lua code runs
    _Atomic uint32_t kill_epoch;  // the run to kill
    _Atomic uint32_t warn_epoch;  // the run to report
    _Atomic uint32_t stuck_epoch; // the run whose place is asked for
    _Atomic uint32_t stuck_report; // the report that asks for it; see Watchdog/stuck.h
    _Atomic int64_t slice_budget; // nanoseconds
    _Atomic pid_t thread;
    Watch watch;
    Bridge *next_watched;
    size_t slow_count; // bytes in `slow`

    // Events that wait. A slot of the table is used again when its event has ended.
    struct Task *tasks;
    uint32_t task_capacity;
    uint32_t free_task;
    uint32_t waiting_count;
    uint32_t wait_limit;
    uint64_t waits_refused;
    char function_file[LUA_IDSIZE]; // of the timer's or spawned function that ran last
    int function_line;
    int64_t running_task;       // the slot of the running event, -1 while it has none
    BridgeKill doom;            // the kill with which the running event's next wait ends it
    bool closed;                // its connection is closed
    bool asked;                 // it has begun to wait
    bool can_wait;              // no C function stands between it and its base
    BridgeTicket waking;        // the wait that `answer_for_waking` answers
    const BridgeAnswer *answer_for_waking;

    Coroutine idle[idle_coroutines];
    int idle_count;

    struct Generation *live;
    struct Generation *candidate;
    uint32_t generations_alive;
    int32_t last_function;

    References references;
    const void *conn_metatable;

    BridgeStrings answer; // filled by host functions
    BridgeStrings text;   // encoded on the way to a host function

    struct KeyCache *keys;      // of jwt
    void *digest;               // OpenSSL's state of the digest of a long text; see crypto.c
    struct SeriesTable *series; // of metrics
    int series_limit;

    BridgeResult result;
    char message[2048];
    char traceback[4096];
    char slow[2048];
};

// The bridge of any coroutine. Never raises.
static inline Bridge *bridge_of(lua_State *L)
{
    return *(Bridge **)lua_getextraspace(L);
}

// stack.c
uintptr_t stack_floor(void);
_Noreturn void raise_stack_overflow(lua_State *L);

// Raises "stack overflow" while there is still room for the error. Call it wherever C calls back into Lua, or recurses
// as deep as a script wants. [...] -> [...]
static inline void check_stack_left(lua_State *L)
{
    if (__builtin_expect((uintptr_t)__builtin_frame_address(0) < bridge_of(L)->stack_floor, 0)) {
        raise_stack_overflow(L);
    }
}

// luaL_tolstring, which may run a __tostring. [...] -> [... text]
static inline const char *push_as_text(lua_State *L, int index, size_t *count)
{
    check_stack_left(L);
    return luaL_tolstring(L, index, count);
}

// collection.c
void tune_collector(Bridge *b);
void clean_up_after_failure(Bridge *b);

// coroutine_count.c
void count_check(lua_State *L, const char *function);

// strings.c
void strings_reset(BridgeStrings *strings);
void strings_add(BridgeStrings *strings, const void *bytes, size_t count);
void strings_check(lua_State *L, BridgeStrings *strings);
void strings_trim(BridgeStrings *strings);
void strings_need(lua_State *L, BridgeStrings *strings, size_t room);
size_t utf8_prefix_text(lua_State *L, const char *bytes, size_t count);
bool is_utf8(const char *bytes, size_t count);
bool is_utf8_text(lua_State *L, const char *bytes, size_t count);

// readonly.c
void push_readonly(lua_State *L, const char *name, bool strict);
void read_through(lua_State *L, int index);
bool is_readonly(lua_State *L, int index);

#endif
