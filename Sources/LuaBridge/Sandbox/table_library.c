// table.insert, remove, move, concat and sort. With a table that is very long, or lies about its length, the stock
// functions would run for a very long time. Our own loops check every thousand steps whether the event is being killed,
// and a range that no table can have is refused at once. The results are as in the stock library.
//
// Read next: table_sort.c.
#include <limits.h>

#include "libraries.h"
#include "Watchdog/watchdog.h"

enum {
    slice = 1024,      // steps between two checks of the budget
    most_moved = 1 << 26, // elements that one call moves
};

static inline void count_step(lua_State *L, lua_Integer step)
{
    if (step % slice == 0) {
        check_killed(L);
    }
}

// Whether the metatable on top has this field. [... metatable] -> [... metatable]
static bool has_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    bool has = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

// Checks for a table, or for a value whose metamethods allow it to be used like one. [...] -> [...]
void check_table(lua_State *L, int index, int uses)
{
    check_stack_left(L);
    if (lua_istable(L, index)) {
        return;
    }
    if (lua_getmetatable(L, index)) {
        bool serves = ((uses & table_read) == 0 || has_field(L, "__index"))
                      && ((uses & table_write) == 0 || has_field(L, "__newindex"))
                      && ((uses & table_length) == 0 || has_field(L, "__len"));
        lua_pop(L, 1);
        if (serves) {
            return;
        }
    }
    luaL_checktype(L, index, LUA_TTABLE);
}

static lua_Integer checked_length(lua_State *L, int index, int uses)
{
    check_table(L, index, uses | table_length);
    return luaL_len(L, index);
}

// Copies one element. [...] -> [...]
static inline void copy_element(lua_State *L, int from, lua_Integer source, int to, lua_Integer target)
{
    lua_geti(L, from, source);
    lua_seti(L, to, target);
}

// table.insert(t, position, value). [table position? value] -> []
static int table_insert(lua_State *L)
{
    lua_Integer end = (lua_Integer)((lua_Unsigned)checked_length(L, 1, table_read | table_write) + 1);
    lua_Integer position = end;
    if (lua_gettop(L) == 3) {
        position = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)position - 1 < (lua_Unsigned)end, 2, "position out of bounds");
        luaL_argcheck(L, end - position <= most_moved, 1, "too many elements to move");
        for (lua_Integer i = end; i > position; i--) {
            copy_element(L, 1, i - 1, 1, i);
            count_step(L, i);
        }
    } else if (lua_gettop(L) != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, position);
    return 0;
}

// table.remove(t, position). [table position] -> [... value]
static int table_remove(lua_State *L)
{
    lua_Integer size = checked_length(L, 1, table_read | table_write);
    lua_Integer position = luaL_optinteger(L, 2, size);
    if (position != size) {
        luaL_argcheck(L, (lua_Unsigned)position - 1 <= (lua_Unsigned)size, 2, "position out of bounds");
        luaL_argcheck(L, size - position <= most_moved, 1, "too many elements to move");
    }
    lua_geti(L, 1, position);
    for (; position < size; position++) {
        copy_element(L, 1, position + 1, 1, position);
        count_step(L, position);
    }
    lua_pushnil(L);
    lua_seti(L, 1, position);
    return 1;
}

// Checks a move's range and returns the number of its elements. [...] -> [...]
static lua_Integer checked_range(lua_State *L, lua_Integer first, lua_Integer last, lua_Integer target)
{
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer count = last - first + 1;
    luaL_argcheck(L, target <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    luaL_argcheck(L, count <= most_moved, 3, "too many elements to move");
    return count;
}

// table.move(from, first, last, target, to). [from first last target to] -> [... to]
static int table_move(lua_State *L)
{
    lua_Integer first = luaL_checkinteger(L, 2);
    lua_Integer last = luaL_checkinteger(L, 3);
    lua_Integer target = luaL_checkinteger(L, 4);
    int to = lua_isnoneornil(L, 5) ? 1 : 5;
    check_table(L, 1, table_read);
    check_table(L, to, table_write);
    if (last >= first) {
        lua_Integer count = checked_range(L, first, last, target);
        bool overlaps = target > first && target <= last && (to == 1 || lua_compare(L, 1, to, LUA_OPEQ));
        for (lua_Integer i = 0; i < count; i++) {
            lua_Integer step = overlaps ? count - 1 - i : i;
            copy_element(L, 1, first + step, to, target + step);
            count_step(L, i);
        }
    }
    lua_pushvalue(L, to);
    return 1;
}

// table.unpack(t, first, last). [table first last] -> [... values...]
static int table_unpack(lua_State *L)
{
    check_stack_left(L);
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
    if (first > last) {
        return 0;
    }
    lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)first;
    if (count >= INT_MAX || !lua_checkstack(L, (int)++count)) {
        return luaL_error(L, "too many results to unpack");
    }
    for (lua_Unsigned i = 0; i < count; i++) {
        lua_geti(L, 1, (lua_Integer)((lua_Unsigned)first + i));
        count_step(L, (lua_Integer)i);
    }
    return (int)count;
}

// Adds one element to the text. [... buffer] -> [... buffer]
static void add_element(lua_State *L, luaL_Buffer *buffer, lua_Integer index)
{
    lua_geti(L, 1, index);
    if (!lua_isstring(L, -1)) {
        luaL_error(
            L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)index);
    }
    luaL_addvalue(buffer);
}

// table.concat(t, separator, first, last). [table separator first last] -> [... string]
static int table_concat(lua_State *L)
{
    lua_Integer last = checked_length(L, 1, table_read);
    size_t count;
    const char *separator = luaL_optlstring(L, 2, "", &count);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    last = luaL_optinteger(L, 4, last);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (; first < last; first++) {
        add_element(L, &buffer, first);
        luaL_addlstring(&buffer, separator, count);
        count_step(L, first);
    }
    if (first == last) {
        add_element(L, &buffer, first);
    }
    luaL_pushresult(&buffer);
    return 1;
}

// Replaces functions in the stock library's table. [table library] -> [table library]
void table_library_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"insert", table_insert}, {"remove", table_remove}, {"move", table_move},
        {"concat", table_concat}, {"sort", table_sort},     {"unpack", table_unpack}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
