// table.sort: quicksort, and heapsort for a part in which quicksort degrades, so that no order of the elements and no
// comparison function takes more than n log n comparisons. Without a comparison function everything runs in C, so every
// comparison first checks whether the event is being killed.
//
// The table is at 1, the function or nil at 2.
#include <limits.h>

#include "libraries.h"
#include "Watchdog/watchdog.h"

enum { small = 12 }; // elements that are sorted by insertion

typedef struct Sort {
    lua_State *L;
    bool has_function;
} Sort;

// Whether the value at `left` comes before the one at `right`; both are absolute. [...] -> [...]
static bool comes_before(Sort *sort, int left, int right)
{
    lua_State *L = sort->L;
    check_stack_left(L);
    check_killed(L); // each time, because the two values may be long strings
    if (!sort->has_function) {
        return lua_compare(L, left, right, LUA_OPLT) != 0;
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, left);
    lua_pushvalue(L, right);
    lua_call(L, 2, 1);
    bool is_before = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_before;
}

// Puts the two values on top back where they belong. [... left right] -> [...]
static void store_pair(lua_State *L, lua_Integer left_index, lua_Integer right_index)
{
    lua_seti(L, 1, right_index);
    lua_seti(L, 1, left_index);
}

// Puts two elements in order. [...] -> [...]
static void order_pair(Sort *sort, lua_Integer first, lua_Integer second)
{
    lua_State *L = sort->L;
    lua_geti(L, 1, first);
    lua_geti(L, 1, second);
    int top = lua_gettop(L);
    if (comes_before(sort, top, top - 1)) {
        lua_insert(L, -2);
        store_pair(L, first, second);
    } else {
        lua_pop(L, 2);
    }
}

// [...] -> [...]
static void sort_by_insertion(Sort *sort, lua_Integer first, lua_Integer last)
{
    lua_State *L = sort->L;
    for (lua_Integer next = first + 1; next <= last; next++) {
        lua_geti(L, 1, next);
        int value = lua_gettop(L);
        lua_Integer hole = next;
        for (; hole > first; hole--) {
            lua_geti(L, 1, hole - 1);
            if (!comes_before(sort, value, value + 1)) {
                lua_pop(L, 1);
                break;
            }
            lua_seti(L, 1, hole);
        }
        lua_seti(L, 1, hole);
    }
}

// Lets the value on top sink from `root` to its place in the heap of `count` elements behind `first`.
// [... value] -> [...]
static void sink(Sort *sort, lua_Integer first, lua_Integer root, lua_Integer count)
{
    lua_State *L = sort->L;
    int value = lua_gettop(L);
    for (lua_Integer child; (child = 2 * root + 1) < count; root = child) {
        lua_geti(L, 1, first + child);
        if (child + 1 < count) {
            lua_geti(L, 1, first + child + 1);
            if (comes_before(sort, value + 1, value + 2)) {
                lua_remove(L, value + 1);
                child++;
            } else {
                lua_pop(L, 1);
            }
        }
        if (!comes_before(sort, value, value + 1)) {
            lua_pop(L, 1);
            break;
        }
        lua_seti(L, 1, first + root);
    }
    lua_seti(L, 1, first + root);
}

// [...] -> [...]
static void sort_by_heap(Sort *sort, lua_Integer first, lua_Integer last)
{
    lua_State *L = sort->L;
    lua_Integer count = last - first + 1;
    for (lua_Integer root = count / 2; root-- > 0;) {
        lua_geti(L, 1, first + root);
        sink(sort, first, root, count);
    }
    for (lua_Integer end = count - 1; end > 0; end--) {
        lua_geti(L, 1, first + end);
        lua_geti(L, 1, first);
        lua_seti(L, 1, first + end);
        sink(sort, first, 0, end);
    }
}

static void refuse_order(lua_State *L)
{
    luaL_error(L, "invalid order function for sorting");
}

// Splits a part whose first, middle and last elements are in order around the middle one. Returns the middle one's new
// place. [...] -> [...]
static lua_Integer split(Sort *sort, lua_Integer first, lua_Integer last)
{
    lua_State *L = sort->L;
    lua_Integer middle = first + (last - first) / 2;
    lua_geti(L, 1, middle);
    lua_pushvalue(L, -1);
    lua_geti(L, 1, last - 1);
    store_pair(L, last - 1, middle); // [... pivot]; it waits at last - 1
    int pivot = lua_gettop(L);
    lua_Integer left = first;
    lua_Integer right = last - 1;
    for (;;) {
        for (lua_geti(L, 1, ++left); comes_before(sort, pivot + 1, pivot); lua_geti(L, 1, ++left)) {
            lua_pop(L, 1);
            if (left == last - 1) {
                refuse_order(L);
            }
        }
        for (lua_geti(L, 1, --right); comes_before(sort, pivot, pivot + 2); lua_geti(L, 1, --right)) {
            lua_pop(L, 1);
            if (right < left) {
                refuse_order(L);
            }
        }
        if (right < left) {
            break;
        }
        lua_insert(L, -2);
        store_pair(L, left, right);
    }
    lua_pop(L, 1); // [... pivot left]
    lua_seti(L, 1, last - 1);
    lua_seti(L, 1, left);
    return left;
}

// Sorts a part; after `tries` bad splits heapsort takes over. [...] -> [...]
static void sort_part(Sort *sort, lua_Integer first, lua_Integer last, int tries)
{
    while (last - first >= small) {
        if (tries-- == 0) {
            sort_by_heap(sort, first, last);
            return;
        }
        lua_Integer middle = first + (last - first) / 2;
        order_pair(sort, first, middle);
        order_pair(sort, middle, last);
        order_pair(sort, first, middle);
        lua_Integer place = split(sort, first, last);
        if (place - first < last - place) {
            sort_part(sort, first, place - 1, tries);
            first = place + 1;
        } else {
            sort_part(sort, place + 1, last, tries);
            last = place - 1;
        }
    }
    sort_by_insertion(sort, first, last);
}

// table.sort(t, function). [table function] -> [table function]
int table_sort(lua_State *L)
{
    check_table(L, 1, table_read | table_write | table_length);
    lua_Integer count = luaL_len(L, 1);
    if (count < 2) {
        return 0;
    }
    luaL_argcheck(L, count < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    lua_settop(L, 2);
    luaL_checkstack(L, 40, "");
    Sort sort = {.L = L, .has_function = !lua_isnil(L, 2)};
    int tries = 2;
    for (lua_Integer n = count; n > 1; n /= 2) {
        tries += 2;
    }
    sort_part(&sort, 1, count, tries);
    return 0;
}
