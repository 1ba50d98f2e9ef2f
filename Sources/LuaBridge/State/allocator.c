// The state's memory: malloc, counted against a limit on all of it, on one block and on coroutines. A refusal is Lua's
// "not enough memory": the event fails, the state lives on.
//
// Read next: coroutine_count.c.
#include <stdlib.h>

#include "memory.h"
#include "Events/events.h"

// The bytes that Lua adds to a string, so that a text of exactly the limit still has room.
enum { object_header = 64 };

static bool refuse(Bridge *b, Refusal reason, size_t size)
{
    b->refusal = reason;
    b->was_refused = true;
    b->refused_size = size;
    return false;
}

static bool may_grow(Bridge *b, size_t size, size_t growth)
{
    if (b->unlimited) {
        return true;
    }
    if (b->allocations_left >= 0) {
        if (b->allocations_left == 0) {
            return refuse(b, refusal_memory, size);
        }
        b->allocations_left -= 1;
    }
    if (b->block_limit > 0 && size > b->block_limit + object_header) {
        return refuse(b, refusal_block, size);
    }
    size_t limit = b->memory_limit + b->allowance;
    bool fits = b->memory_limit == 0 || (b->memory <= limit && growth <= limit - b->memory);
    return fits || refuse(b, refusal_memory, size);
}

// Whether a script may have one more coroutine.
static bool may_make_coroutine(Bridge *b, size_t size)
{
    return count_may_add(b) || refuse(b, refusal_coroutines, size);
}

// Lua calls nothing for this error before the stack is unwound. During the unwinding, memory may be refused again.
static void note_refusal(Bridge *b)
{
    lua_Debug frame;
    if (b->running && !b->killed && lua_getstack(b->current, 1, &frame)) {
        note_place(b, b->current, 0);
    }
}

static void *allocate(Bridge *b, void *block, size_t old_size, size_t new_size)
{
    bool is_coroutine = false;
    if (block == NULL) { // the size is the kind of the new object
        is_coroutine = old_size == LUA_TTHREAD && !b->makes_coroutine;
        old_size = 0;
    }
    if (new_size == 0) {
        count_remove(b, block, old_size);
        free(block);
        b->memory -= old_size;
        return NULL;
    }
    bool grows = new_size > old_size;
    if ((is_coroutine && !may_make_coroutine(b, new_size))
        || (grows && !may_grow(b, new_size, new_size - old_size))) {
        note_refusal(b);
        return NULL;
    }
    b->allocations += 1;
    void *moved = realloc(block, new_size);
    if (moved == NULL) {
        if (grows) {
            return NULL;
        }
        moved = block; // Lua relies on shrinking to work
    }
    b->memory += new_size - old_size;
    if (is_coroutine) {
        count_add(b, moved, new_size);
    }
    return moved;
}

void *bridge_allocate(void *context, void *block, size_t old_size, size_t new_size)
{
    Bridge *b = context;
    b->allocating = true;
    void *moved = allocate(b, block, old_size, new_size);
    b->allocating = false;
    return moved;
}

size_t bridgeMemory(const Bridge *b)
{
    return b->memory;
}

uint64_t bridgeAllocations(const Bridge *b)
{
    return b->allocations;
}

void bridgeRefuseAllocations(Bridge *b, int64_t count)
{
    b->allocations_left = count;
}
