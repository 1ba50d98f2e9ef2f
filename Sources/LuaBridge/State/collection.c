// The collection of the state's memory: in steps while scripts run, ahead of the limit, and in full when a limit
// refuses something that a collection may make room for. A full collection stops the worker while it runs, so there is
// none if there can be little new garbage since the last one.
#include "memory.h"

enum {
    easy_memory = 8 << 20,
    worth_collecting = 16, // the part of the limit by which memory has grown since the last full collection
    worth_counting = 64,   // the part of the limit on coroutines that has been asked for since
    worth_the_live = 4,    // the part of the state that may be garbage after an event that failed
};

static size_t clamp(size_t value, size_t least, size_t most)
{
    return value < least ? least : value > most ? most : value;
}

// Keeps the collector ahead of the memory limit: the fuller the state, the sooner the next cycle. A small state may
// grow to half a megabyte first: its cycles are short, but a stream of large messages would start one every few
// messages. Never raises.
void tune_collector(Bridge *b)
{
    size_t used = b->memory / 85 + 1;
    size_t at_most = clamp(easy_memory / (b->memory / 100 + 1), 200, 1000);
    size_t percent = b->memory_limit == 0 ? at_most : clamp(b->memory_limit / used, 105, at_most);
    lua_gc(b->main, LUA_GCINC, (int)percent, 0, 0);
    b->collected = b->memory < b->collected ? b->memory : b->collected;
    b->collected_within = b->memory < b->collected_within ? b->memory : b->collected_within;
}

// Collects in full. [...] -> [...]
static void collect(lua_State *L, Bridge *b)
{
    lua_gc(L, LUA_GCCOLLECT);
    b->collected_within = b->memory;
    b->coroutines.wanted = 0;
    b->collections += 1;
}

// Whether memory has grown by enough for a full collection. Never raises.
static bool has_grown(const Bridge *b, size_t since)
{
    size_t limit = b->memory_limit > 0 ? b->memory_limit : easy_memory;
    return b->memory > since && b->memory - since > limit / worth_collecting;
}

// Collects in full within an event if memory has grown enough since the last time; false if it has not. Values that the
// event still holds may be garbage after it, so the collection after a failure does not count this one. [...] -> [...]
bool collect_if_grown(lua_State *L)
{
    Bridge *b = bridge_of(L);
    if (!has_grown(b, b->collected_within)) {
        return false;
    }
    collect(L, b);
    return true;
}

// Collects in full when there are as many coroutines as allowed, if enough were asked for since the last time.
// Coroutines may be small, so memory is no measure. Refused ones count too, so that a script which forgets all of its
// coroutines gets new ones. [...] -> [...]
void collect_coroutines(lua_State *L)
{
    Bridge *b = bridge_of(L);
    uint32_t enough = b->coroutine_limit / worth_counting;
    if (b->coroutines.wanted >= (enough > 1 ? enough : 1)) {
        collect(L, b);
    } else {
        collect_if_grown(L);
    }
}

// Whether so much has come since the last collection that freeing the remains of several such events at once would keep others
// waiting, and that looking through what lives is no more work than that. Never raises.
static bool has_left_much(const Bridge *b)
{
    size_t grown = b->memory > b->collected ? b->memory - b->collected : 0;
    return grown > easy_memory && grown > b->memory / worth_the_live;
}

// Collects after an event that was killed or found no memory, if the state is half full or the event has left much: otherwise
// the next event would collect within its own budget, and might be killed for it. Never raises.
void clean_up_after_failure(Bridge *b)
{
    bool is_half_full = b->memory_limit > 0 && b->memory > b->memory_limit / 2 && has_grown(b, b->collected);
    if (is_half_full || has_left_much(b)) {
        collect(b->main, b);
        b->collected = b->memory;
    }
}

uint64_t bridgeCollections(const Bridge *b)
{
    return b->collections;
}
