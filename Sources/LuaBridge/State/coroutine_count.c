// The count of coroutines. Lua says when it asks for a coroutine's memory, but not when it frees it; so the addresses
// are kept in a small hash table outside the state's memory. Coroutines in which events run belong to the bridge and
// are not counted.
//
// Runs inside the allocator: nothing here may call Lua, save count_check.
#include <stdlib.h>

#include "memory.h"

enum { least_capacity = 64 };

static uint32_t slot_of(const CoroutineCount *set, const void *address)
{
    return (uint32_t)(((uintptr_t)address * 0x9E3779B97F4A7C15u) >> 32) & (set->capacity - 1);
}

static void put(CoroutineCount *set, void *address)
{
    uint32_t slot = slot_of(set, address);
    while (set->addresses[slot] != NULL) {
        slot = (slot + 1) & (set->capacity - 1);
    }
    set->addresses[slot] = address;
}

// Makes room for one more; false when there is no memory for it. Never raises.
static bool make_room(CoroutineCount *set)
{
    if (set->count < set->capacity / 2) {
        return true;
    }
    CoroutineCount larger = {.capacity = set->capacity == 0 ? least_capacity : set->capacity * 2};
    larger.addresses = calloc(larger.capacity, sizeof *larger.addresses);
    if (larger.addresses == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < set->capacity; i++) {
        if (set->addresses[i] != NULL) {
            put(&larger, set->addresses[i]);
        }
    }
    free(set->addresses);
    set->addresses = larger.addresses;
    set->capacity = larger.capacity;
    return true;
}

// Whether one more may be made, and room to note it. Never raises.
bool count_may_add(Bridge *b)
{
    return (b->coroutine_limit == 0 || b->coroutines.count < b->coroutine_limit) && make_room(&b->coroutines);
}

// Notes a coroutine; count_may_add has said that it may. Never raises.
void count_add(Bridge *b, void *address, size_t size)
{
    b->coroutines.size = size;
    b->coroutines.count += 1;
    put(&b->coroutines, address);
}

// A block is freed: forgets it if it is a coroutine. Entries that followed it in the table move up. Never raises.
void count_remove(Bridge *b, void *address, size_t size)
{
    CoroutineCount *set = &b->coroutines;
    if (size != set->size || set->count == 0) {
        return;
    }
    uint32_t hole = slot_of(set, address);
    while (set->addresses[hole] != address) {
        if (set->addresses[hole] == NULL) {
            return;
        }
        hole = (hole + 1) & (set->capacity - 1);
    }
    set->count -= 1;
    uint32_t mask = set->capacity - 1;
    for (uint32_t next = (hole + 1) & mask; set->addresses[next] != NULL; next = (next + 1) & mask) {
        uint32_t home = slot_of(set, set->addresses[next]);
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            set->addresses[hole] = set->addresses[next];
            hole = next;
        }
    }
    set->addresses[hole] = NULL;
}

// Raises when scripts have as many coroutines as allowed. Before that it collects unreachable ones, unless hardly any
// were made since the last collection. [] -> []
void count_check(lua_State *L, const char *function)
{
    Bridge *b = bridge_of(L);
    b->coroutines.wanted += 1;
    if (b->coroutine_limit == 0 || b->coroutines.count < b->coroutine_limit) {
        return;
    }
    collect_coroutines(L);
    if (b->coroutines.count >= b->coroutine_limit) {
        luaL_error(L, "%s: there are %d coroutines, as many as there may be (scripts.coroutines)", function,
            (int)b->coroutines.count);
    }
}

uint32_t bridgeCoroutines(const Bridge *b)
{
    return b->coroutines.count;
}
