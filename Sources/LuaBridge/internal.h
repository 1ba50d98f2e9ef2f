// What the bridge's files share. The only header that includes Lua's.
//
// Above each function that touches the Lua stack stands a picture of it: [before] -> [after], top to the right; "|"
// parts alternatives. Functions that take a lua_State may raise a Lua error unless the comment says otherwise; so none
// of them owns memory of its own when it calls into Lua. Whatever must live longer than an expression belongs to the
// Lua stack or to the Bridge.
#ifndef PERIGEE_BRIDGE_INTERNAL_H
#define PERIGEE_BRIDGE_INTERNAL_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>

#include "LuaBridge.h"
#include "LuaWatchdog.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum {
    idle_coroutines = 16,   // kept for the next events
    coroutine_slots = 400,  // of stack from the start: Lua 5.4.4 misreads one that moves in a concatenation
    json_depth = 64,
    name_limit = 1024,      // bytes of a kv key, or of the name of a user, a timer, a state, a class or a module
};

struct BridgeStrings {
    Bridge *bridge;
    char *bytes;
    size_t count;
    size_t capacity;
    bool failed; // an append found no memory
};

// One bundle, run in this state.
typedef struct Generation {
    uint64_t version;
    int script_count;
    int table;     // registry reference: its chunks, modules and shared environment
    int *handlers; // [script][event]: registry references, LUA_NOREF where there is none
    int migrations;  // states that are to be brought to a new version before the commit
    bool is_filling; // its files run, and its classes hold what they fill in
} Generation;

typedef struct Coroutine {
    lua_State *state;
    int reference;
} Coroutine;

// An event that waits, or has waited.
typedef struct Task {
    Coroutine coroutine;
    uint32_t serial;   // of its last wait
    bool used;
    bool waiting;
    BridgeKill doom;   // what its next wait ends it with
    uint32_t next_free;
} Task;

// What the watchdog notes about a bridge; only its thread reads and writes it.
typedef struct Watch {
    uint32_t epoch;
    int64_t cpu_start;
    bool warned;
    bool stuck;
} Watch;

// The addresses of the coroutines that scripts have made.
typedef struct CoroutineCount {
    void **addresses; // a hash table
    uint32_t capacity;
    uint32_t count;
    size_t size; // of one
    uint32_t wanted; // since the last full collection, refused ones included
} CoroutineCount;

// Which limit the last allocation that was refused had reached.
typedef enum Refusal {
    refusal_memory,
    refusal_block,
    refusal_coroutines,
} Refusal;

// Registry references of what the bridge looks up by number.
typedef struct References {
    int globals;        // the names every file sees
    int undefined;      // metatable that refuses a read of an undeclared global
    int connections;    // slot + 1 -> conn
    int conn_metatable;
    int timers;         // function number -> function
    int states;         // name -> state, see kept.c
    int classes;        // name -> class, weak
    int class_names;    // class -> name, weak
    int unwrapped;      // read-only table -> what it stands for
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
    size_t allowance;           // what live tables that are kept aside from a candidate take beyond the limit; see classes.c
    size_t block_limit;         // 0 for none
    uint32_t coroutine_limit;   // 0 for none
    CoroutineCount coroutines;
    bool makes_coroutine;       // of its own, which is not counted
    Refusal refusal;
    size_t refused_size;
    bool was_refused;         // an allocation of the running slice
    size_t collected;         // bytes that the last collection between events left, or fewer if there were fewer since
    size_t collected_within;  // the same of the last full collection, also within an event
    uint64_t collections;     // full ones
    volatile sig_atomic_t allocating; // Lua is inside of the allocator, perhaps to move a stack
    uint64_t allocations;
    int64_t allocations_left; // negative: no end

    // The text that the running event is about, which was checked when it came: it need not be checked when it is sent.
    const char *received;

    bool has_old_bugs; // the linked library; see old_bugs.c
    double set_time; // what scripts take for the time; 0 for the real one

    bool running; // Lua code is on the stack
    Bridge *volatile outer; // ... and below it that of this bridge
    _Atomic bool loading; // ... and it is the top level of a file, or fills a state before the commit; the watchdog asks
    bool declaring; // ... and it is the top level: states and classes can be declared
    bool unlimited; // what runs must not fail for lack of memory: it only moves what is there
    uintptr_t stack_floor; // the lowest address of the C stack at which C may still call into Lua
    lua_State *base;              // ... in this coroutine
    lua_State *volatile current;  // ... and just now in this one, which a script may have made
    volatile sig_atomic_t killed; // a BridgeKill: the event is being ended, and nothing may catch that
    bool kill_noted;              // its place is in `traceback`
    size_t noted;                 // bytes of `traceback` that say where it failed, or was killed
    uint32_t events;
    double load_budget;
    double load_left;     // seconds of CPU that the candidate may still take
    double event_budget;
    double warning;
    double stuck_after;
    bool aborts_when_stuck;
    int32_t kill_after; // instructions; for tests

    // What the worker, the watchdog and the signal's handler share.
    _Atomic uint32_t epoch;       // odd while Lua code runs
    _Atomic uint32_t kill_epoch;  // the run to kill
    _Atomic uint32_t warn_epoch;  // the run to report
    _Atomic uint32_t stuck_epoch; // the run whose place is wanted
    _Atomic uint32_t stuck_report; // and for which report; see stuck.h
    _Atomic int64_t slice_budget; // nanoseconds
    _Atomic pid_t thread;
    Watch watch;
    Bridge *next_watched;
    size_t slow_count; // bytes in `slow`

    // Events that wait. A slot of the table is used again when its event has ended.
    Task *tasks;
    uint32_t task_capacity;
    uint32_t free_task;
    uint32_t waiting_count;
    uint32_t wait_limit;
    uint64_t waits_refused;
    char function_file[LUA_IDSIZE]; // of the timer's or spawned function that ran last
    int function_line;
    int64_t running_task;       // the slot of the running event, -1 while it has none
    BridgeKill doom;            // what the running event's next wait ends it with
    bool closed;                // its connection is closed
    bool asked;                 // it has begun to wait
    bool can_wait;              // no C function stands between it and its base
    BridgeTicket waking;        // whom `answer_for_waking` is for
    const BridgeAnswer *answer_for_waking;

    Coroutine idle[idle_coroutines];
    int idle_count;

    Generation *live;
    Generation *candidate;
    uint32_t generations_alive;
    int32_t last_function;

    References references;
    const void *conn_metatable;

    BridgeStrings answer; // what a host function fills
    BridgeStrings text;   // what is encoded on its way to one

    struct KeyCache *keys;      // of jwt
    void *digest;               // OpenSSL's state of the digest of a long text; see crypto.c
    struct SeriesTable *series; // of metrics
    int series_limit;

    BridgeResult result;
    char message[2048];
    char traceback[4096];
    char slow[2048];
};

typedef struct Conn {
    BridgeConnection connection;
} Conn;

// The bridge of any coroutine. Never raises.
static inline Bridge *bridge_of(lua_State *L)
{
    return *(Bridge **)lua_getextraspace(L);
}

// stack.c
uintptr_t stack_floor(void);
_Noreturn void raise_stack_overflow(lua_State *L);

// Raises "stack overflow" while there is still room for the error. Asked wherever C calls back into Lua, or into itself as
// deep as a script wants. [...] -> [...]
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

// kill.c
void check_killed(lua_State *L);
_Noreturn void raise_killed(lua_State *L);
void kill_running(lua_State *L, BridgeKill reason);
void hook_if_killed(Bridge *b, lua_State *co);
void hook_if_counted(Bridge *b, lua_State *co);
bool kill_prepare(void);

// slice.c
extern _Thread_local Bridge *volatile running_bridge __attribute__((tls_model("initial-exec")));
void slice_begin(Bridge *b, lua_State *co, double budget);
void slice_end(Bridge *b);

// wait.c
bool wait_begin(lua_State *L, const char *function, BridgeTicket *ticket);
int wait_yield(lua_State *L, BridgeTicket ticket, lua_KFunction woken);
const BridgeAnswer *wait_answer(lua_State *L, lua_KContext context);
int push_wait_failure(lua_State *L, const BridgeAnswer *answer);
void task_end(Bridge *b);
extern const luaL_Reg wait_functions[];

// allocator.c
void *bridge_allocate(void *context, void *block, size_t old_size, size_t new_size);

// collection.c
void tune_collector(Bridge *b);
bool collect_if_grown(lua_State *L);
void collect_coroutines(lua_State *L);
void clean_up_after_failure(Bridge *b);

// coroutine_count.c
bool count_may_add(Bridge *b);
void count_add(Bridge *b, void *address, size_t size);
void count_remove(Bridge *b, void *address, size_t size);
void count_check(lua_State *L, const char *function);

// strings.c
void strings_reset(BridgeStrings *strings);
void strings_add(BridgeStrings *strings, const void *bytes, size_t count);
void strings_check(lua_State *L, BridgeStrings *strings);
void strings_trim(BridgeStrings *strings);
void strings_release(BridgeStrings *strings);
void strings_need(lua_State *L, BridgeStrings *strings, size_t room);
size_t utf8_prefix(const char *bytes, size_t count);
size_t utf8_prefix_text(lua_State *L, const char *bytes, size_t count);
bool is_utf8(const char *bytes, size_t count);
bool is_utf8_text(lua_State *L, const char *bytes, size_t count);

// names.c
const char *nearest_name(const char *const *names, int count, const char *name);
extern const char *const event_names[bridgeEventCount];
int event_named(const char *name);

// coroutine.c
void ensure_stack(lua_State *L, lua_State *co);
bool coroutine_take(Bridge *b, Coroutine *taken);
void coroutine_give_back(Bridge *b, Coroutine coroutine);
void coroutine_unwind(Coroutine coroutine);
void coroutine_recover(Bridge *b, Coroutine coroutine);

// failure.c
void failure_clear(Bridge *b);
BridgeOutcome failure_read(Bridge *b, lua_State *co, int status);
BridgeOutcome failure_set(Bridge *b, const char *message);
BridgeOutcome failure_of_kill(Bridge *b);
void note_place(Bridge *b, lua_State *L, int level);
size_t write_traceback(lua_State *co, int level, char *text, size_t size);

// generation.c
void generations_close(Bridge *b);

// event.c
int call_noted(lua_State *L, int arguments, int results, lua_KContext context, lua_KFunction done);
BridgeOutcome run_protected(Bridge *b, lua_CFunction body, void *call, double budget);

// environment.c, readonly.c, guards.c, coroutine_library.c
void environment_open(lua_State *L);
void push_script_environment(lua_State *L, int generation, bool is_script);
void push_readonly(lua_State *L, const char *name, bool strict);
void push_readonly_deep(lua_State *L, const char *name);
void set_metatable_unarmed(lua_State *L, int index);
void check_metatables(lua_State *L);
void read_through(lua_State *L, int index);
bool is_readonly(lua_State *L, int index);
void readonly_open(lua_State *L);
void guards_open(lua_State *L, int globals);
void coroutine_library_open(lua_State *L, int coroutine);

// metamethods.c
void metamethods_open(lua_State *L);
void make_weak(lua_State *L, const char *mode);
bool is_protected(lua_State *L, int index);
void set_checked_metatable(lua_State *L, bool becomes_weak);

// old_bugs.c
bool has_old_bugs(void);
void refuse_old_bugs(lua_State *L, const BridgeSource *source);

// text_search.c
const char *find_text(lua_State *L, const char *next, size_t count, const char *text, size_t length);

// pattern_functions.c, string_library.c, string_format.c, utf8_library.c, table_library.c
void patterns_open(lua_State *L);
void string_library_open(lua_State *L);
void table_library_open(lua_State *L);
void utf8_library_open(lua_State *L);
void wrap_functions(lua_State *L, const luaL_Reg *functions);
int string_format(lua_State *L);

// table_library.c, table_sort.c
enum { table_read = 1, table_write = 2, table_length = 4 };
void check_table(lua_State *L, int index, int uses);
int table_sort(lua_State *L);

// stick.c
void stick_open(lua_State *L);

// require.c
void push_require(lua_State *L, int generation);

// pairs.c
void push_query(lua_State *L, const BridgeStrings *strings, size_t *offset, int count);
void push_headers(lua_State *L, const BridgeStrings *strings, size_t *offset, int count);

// conn.c, conn_methods.c
void conn_open(lua_State *L);
void push_conn(lua_State *L, Bridge *b, BridgeConnection connection);
Conn *check_conn(lua_State *L, const char *method);
bool is_conn(lua_State *L, int index);
extern const luaL_Reg conn_methods[];

// arguments.c
BridgePayload check_payload(lua_State *L, int index, bool binary, const char *function);
BridgeBytes check_bytes(lua_State *L, int index, const char *function, const char *what);
BridgeBytes check_text(lua_State *L, int index, size_t limit, const char *function, const char *what);
BridgeBytes check_name(lua_State *L, int index, const char *function, const char *what);
double check_seconds(lua_State *L, int index, const char *function);
int32_t keep_function(lua_State *L, int index);
void release_function(lua_State *L, int32_t function);
void check_lasting_name(lua_State *L, int index, const char *function);
int32_t check_close_code(lua_State *L, int index, const char *function);
BridgeBytes check_close_reason(lua_State *L, int index, const char *function);
bool is_close_code(lua_Integer code);
void forbid_while_loading(lua_State *L, const char *function);
void check_options(lua_State *L, int index, const char *const *names, int count, const char *function);

// plain.c
void check_plain(lua_State *L, const char *owner);
void copy_plain(lua_State *L, const char *owner);

// classes.c
bool is_class(lua_State *L, int index);
void push_room_for(lua_State *L, int table);
void swap_classes(lua_State *L);
void swap_declared(lua_State *L);
void shield(lua_State *L);
void check_classes(lua_State *L);
void classes_open(lua_State *L);
extern const luaL_Reg class_functions[];

// kept.c
void fill_states(lua_State *L, bool migrations);
void commit_states(lua_State *L);
void states_open(lua_State *L);
extern const luaL_Reg state_functions[];

// json_encode.c, json_decode.c
void json_encode(lua_State *L, int index, BridgeStrings *text);
bool json_decode(lua_State *L, const char *bytes, size_t count, char *why, size_t why_size);

// The script API: each pushes its table. [] -> [table]
void push_server(lua_State *L);
void push_json(lua_State *L);
void push_kv(lua_State *L);
void push_http(lua_State *L);
void push_log(lua_State *L);
void push_time(lua_State *L);
void push_crypto(lua_State *L);
void push_jwt(lua_State *L);
void push_metrics(lua_State *L);
void push_config(lua_State *L, const char *settings, size_t count);
void timers_open(lua_State *L);
extern const luaL_Reg timer_functions[];
extern const luaL_Reg encoding_functions[];
double time_now(const Bridge *b);
int log_print(lua_State *L);

#endif
