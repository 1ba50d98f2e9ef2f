// server.class: tables of methods that are the same table in every generation, so that objects of old code get the
// methods of new code. While a candidate loads, it fills the table itself, and the old fields are kept aside. When all
// files have run, the old and the new fields are exchanged again, and once more at the commit. Old code never sees a
// half-filled class, and a candidate that fails leaves no trace.
//
// A class is forgotten when no object and no code refers to it any more.
//
// The same exchange keeps a live table of server.state of any size out of reach of a candidate that declares it:
// nothing else would keep the candidate's code from the fields that exist already.
#include <limits.h>

#include "candidate.h"
#include "Events/events.h"
#include "Sandbox/sandbox.h"

// Fields of a declaration: {class, the fields that are kept aside for it, their metatable or false}.
enum { record_class = 1, record_other = 2, record_metatable = 3 };

// Whether the value at `index` is a class of server.class. [...] -> [...]
bool is_class(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->references.class_names);
    lua_pushvalue(L, index);
    bool found = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return found;
}

// Moves all fields of one table into another. [...] -> [...]
static void move_fields(lua_State *L, int from, int to)
{
    for (lua_pushnil(L); lua_next(L, from) != 0;) { // [key value]
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to); // [key]
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, from);
    }
}

// A table that need not grow when it gets all fields of another table. The length of a table with holes says nothing
// about how many fields it has: a few dozen can make it 2^30. [...] -> [... room]
void push_room_for(lua_State *L, int table)
{
    table = lua_absindex(L, table);
    lua_Unsigned length = lua_rawlen(L, table);
    lua_Unsigned count = 0;
    lua_Unsigned listed = 0; // fields from 1 to the length
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        count++;
        listed += lua_isinteger(L, -2) && (lua_Unsigned)lua_tointeger(L, -2) - 1 < length;
    }
    if (length > count) {
        length = 0;
        listed = 0;
    }
    lua_createtable(L, (int)(length & INT_MAX), (int)((count - listed) & INT_MAX));
}

// Room for the fields that the class of a record holds now. [record] -> [record room]
static void push_room(lua_State *L)
{
    lua_rawgeti(L, -1, record_class);
    push_room_for(L, -1);
    lua_remove(L, -2);
}

// Exchanges the fields of a class with those that are kept aside for it. [record room] -> [record]
static void swap_record(lua_State *L)
{
    int record = lua_gettop(L) - 1;
    lua_rawgeti(L, record, record_class);
    lua_rawgeti(L, record, record_other); // [record room class other]
    move_fields(L, record + 2, record + 1);
    move_fields(L, record + 3, record + 2);
    lua_pushvalue(L, record + 1);
    lua_rawseti(L, record, record_other);
    if (!lua_getmetatable(L, record + 2)) {
        lua_pushboolean(L, false);
    }
    if (lua_rawgeti(L, record, record_metatable) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    set_metatable_unarmed(L, record + 2);
    lua_rawseti(L, record, record_metatable);
    lua_settop(L, record);
}

// Exchanges the fields of all tables in one of the candidate's lists with those that are kept aside for them. [] -> []
static void swap_list(lua_State *L, const char *list)
{
    luaL_checkstack(L, 16, NULL);
    int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    lua_getfield(L, -1, list);
    for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) == LUA_TTABLE; i++) {
        push_room(L);
        swap_record(L);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

// Exchanges the fields of the candidate's classes with those that are kept aside. [] -> []
void swap_classes(lua_State *L)
{
    swap_list(L, "classes");
}

// Exchanges the fields of the candidate's classes, and those of the live tables that it declared, with those that are
// kept aside: before code of the candidate runs, and after it has run. [] -> []
void swap_declared(lua_State *L)
{
    swap_list(L, "classes");
    swap_list(L, "shielded");
}

// The steps that may fail come first: after an error the list has no record, and the class is as it was.
// [list record] -> []
static int exchange_body(lua_State *L)
{
    push_room(L); // [list record room]
    lua_pushvalue(L, 2);
    lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
    swap_record(L);
    return 0;
}

// Begins an exchange. It runs without a memory limit, because half an exchange would be worse than a little more
// memory. [list table metatable] -> []
static void exchange(lua_State *L)
{
    Bridge *b = bridge_of(L);
    luaL_checkstack(L, 12, NULL);
    lua_createtable(L, 3, 0);
    lua_insert(L, -3); // [list record table metatable]
    lua_rawseti(L, -3, record_metatable);
    lua_rawseti(L, -2, record_class);
    lua_newtable(L);
    lua_rawseti(L, -2, record_other); // [list record]
    lua_pushcfunction(L, exchange_body);
    lua_insert(L, -3);
    b->unlimited = true;
    int status = lua_pcall(L, 2, 0, 0);
    b->unlimited = false;
    if (status != LUA_OK) {
        lua_error(L);
    }
}

// Puts a live table out of the candidate's reach: until its code has run, the table is empty and has the metatable. The
// table keeps the memory of its fields meanwhile, so the copy takes as much again, which is not counted against the
// candidate. [table metatable] -> []
void shield(lua_State *L)
{
    Bridge *b = bridge_of(L);
    luaL_checkstack(L, 8, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->candidate->table);
    lua_getfield(L, -1, "shielded");
    lua_replace(L, -2);
    lua_insert(L, -3);
    size_t before = b->memory;
    exchange(L);
    b->allowance += b->memory > before ? b->memory - before : 0;
}

// Raises if a class or its metatable has a field that setmetatable refuses: the objects have their metatable already.
// [] -> []
void check_classes(lua_State *L)
{
    static const char *const refused[] = {"__gc", "__mode", "__concat"};
    luaL_checkstack(L, 8, NULL);
    int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge_of(L)->candidate->table);
    lua_getfield(L, -1, "classes");
    for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) == LUA_TTABLE; i++) {
        lua_rawgeti(L, -1, record_class);
        bool has_metatable = lua_getmetatable(L, top + 4);
        for (int name = 0; name < LENGTH(refused); name++) {
            for (int table = top + 4; table <= top + 4 + has_metatable; table++) {
                lua_pushstring(L, refused[name]);
                if (lua_rawget(L, table) != LUA_TNIL) {
                    luaL_error(
                        L, "server.class: a class%s cannot have %s", table == top + 4 ? "" : "'s metatable", refused[name]);
                }
                lua_pop(L, 1);
            }
        }
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
}

// The class with this name, made if there is none. [name] -> [name class]
static void push_class(lua_State *L)
{
    Bridge *b = bridge_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.classes);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L); // [name classes class]
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->references.class_names);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    lua_remove(L, -2);
}

// server.class(name): to be filled while the file loads. Objects find the functions in it, unless the file sets __index
// to something else. [name] -> [... class]
static int server_class(lua_State *L)
{
    Bridge *b = bridge_of(L);
    check_lasting_name(L, 1, "server.class");
    if (!b->declaring) {
        return luaL_error(L, "server.class is called while a script loads, not in a handler");
    }
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->candidate->table);
    lua_getfield(L, 2, "classes"); // [name generation classes]
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 3) != LUA_TNIL) {
        return luaL_error(L, "server.class: there are two classes named '%s'", lua_tostring(L, 1));
    }
    lua_settop(L, 3);
    push_class(L); // [name generation classes class]
    lua_pushvalue(L, 1);
    lua_pushboolean(L, true);
    lua_rawset(L, 3);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 4);
    lua_pushboolean(L, false);
    exchange(L); // from here on the class is the candidate's to fill
    lua_pushvalue(L, 4);
    lua_setfield(L, 4, "__index");
    return 1;
}

const luaL_Reg class_functions[] = {{"class", server_class}, {NULL, NULL}};

// A table that does not keep its content alive. [] -> [], and its reference
static int keep_weak(lua_State *L, const char *mode)
{
    lua_newtable(L);
    make_weak(L, mode);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void classes_open(lua_State *L)
{
    Bridge *b = bridge_of(L);
    b->references.classes = keep_weak(L, "v");
    b->references.class_names = keep_weak(L, "k");
}
