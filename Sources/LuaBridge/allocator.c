// The state's memory: malloc, counted against a limit. A refusal is Lua's "not enough memory": the event fails, the
// state lives on.
#include <stdlib.h>

#include "internal.h"

static bool may_grow(Bridge *b, size_t growth)
{
    if (b->unlimited) {
        return true;
    }
    if (b->allocations_left >= 0) {
        if (b->allocations_left == 0) {
            return false;
        }
        b->allocations_left -= 1;
    }
    return b->memory_limit == 0 || (b->memory <= b->memory_limit && growth <= b->memory_limit - b->memory);
}

// Nothing is called for this error before the stack is unwound. While it is, memory may be refused again.
static void note_refusal(Bridge *b)
{
    lua_Debug frame;
    if (b->running && !b->killed && lua_getstack(b->current, 1, &frame)) {
        note_place(b, b->current, 0);
    }
}

void *bridge_allocate(void *context, void *block, size_t old_size, size_t new_size)
{
    Bridge *b = context;
    if (block == NULL) {
        old_size = 0; // Lua passes the kind of the new object here
    }
    if (new_size == 0) {
        free(block);
        b->memory -= old_size;
        return NULL;
    }
    if (new_size > old_size && !may_grow(b, new_size - old_size)) {
        note_refusal(b);
        return NULL;
    }
    b->allocations += 1;
    void *moved = realloc(block, new_size);
    if (moved == NULL) {
        if (new_size > old_size) {
            return NULL;
        }
        moved = block; // Lua relies on shrinking to work
    }
    b->memory += new_size - old_size;
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
