// string.format over the stock function. A long format, or "%q" of a long string, would take long in C; so such a call
// is made item by item, and between two items the event may be killed. The results are as in the stock library.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "libraries.h"
#include "Watchdog/watchdog.h"

enum {
    short_text = 4096,  // bytes of a format, or of a string in it, that are passed to the stock function in one call
    longest_item = 32,  // "%-#0 +99.99f", with room
    piece = 1 << 14,    // bytes between two checks of the budget
};

// Whether the call may be passed to the stock function as a whole. [format values...] -> the same
static bool is_short(lua_State *L)
{
    if (lua_rawlen(L, 1) > short_text) {
        return false;
    }
    for (int i = lua_gettop(L); i > 1; i--) {
        if (lua_type(L, i) == LUA_TSTRING && lua_rawlen(L, i) > short_text) {
            return false;
        }
    }
    return true;
}

// Adds a string in the form in which Lua reads it. [... buffer] -> [... buffer]
static void add_quoted(lua_State *L, luaL_Buffer *buffer, const char *text, size_t count)
{
    luaL_addchar(buffer, '"');
    for (size_t i = 0; i < count; i++) {
        if (i % piece == 0) {
            check_killed(L);
        }
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\' || c == '\n') {
            luaL_addchar(buffer, '\\');
            luaL_addchar(buffer, (char)c);
        } else if (iscntrl(c)) {
            char escape[8];
            bool digit_follows = i + 1 < count && isdigit((unsigned char)text[i + 1]);
            snprintf(escape, sizeof escape, digit_follows ? "\\%03d" : "\\%d", c);
            luaL_addstring(buffer, escape);
        } else {
            luaL_addchar(buffer, (char)c);
        }
    }
    luaL_addchar(buffer, '"');
}

// The length of the item at a "%"; the stock function reports a malformed item. Never raises.
static size_t item_length(const char *item, const char *end)
{
    size_t length = 1;
    while (item + length < end && length < longest_item - 2 && strchr("-+#0 123456789.", item[length]) != NULL
           && item[length] != '\0') {
        length++;
    }
    return item + length < end ? length + 1 : length;
}

// Raises the stock function's error about a value, which would have another argument number here. [...] -> [...]
static void check_value(lua_State *L, char conversion, int value, int top)
{
    if (value > top) {
        luaL_argerror(L, value, "no value");
    }
    if (strchr("diucxXo", conversion) != NULL) {
        luaL_checkinteger(L, value);
    } else if (strchr("aAfFeEgG", conversion) != NULL) {
        luaL_checknumber(L, value);
    } else if (conversion == 'q' && (lua_type(L, value) > LUA_TSTRING || lua_islightuserdata(L, value))) {
        luaL_argerror(L, value, "value has no literal form");
    }
}

// Adds one item with its value. [format values... buffer] -> the same
static void add_item(lua_State *L, luaL_Buffer *buffer, const char *item, size_t length, int value, int top)
{
    char text[longest_item];
    memcpy(text, item, length);
    text[length] = '\0';
    bool takes_value = isalpha((unsigned char)text[length - 1]) != 0;
    if (takes_value) {
        check_value(L, text[length - 1], value, top);
    }
    if (strcmp(text, "%q") == 0 && lua_type(L, value) == LUA_TSTRING) {
        size_t count;
        const char *bytes = lua_tolstring(L, value, &count);
        add_quoted(L, buffer, bytes, count);
        return;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushlstring(L, text, length);
    if (takes_value) {
        lua_pushvalue(L, value);
    }
    lua_call(L, takes_value ? 2 : 1, 1);
    luaL_addvalue(buffer);
}

// string.format(format, ...). The upvalue is the stock function. [format values...] -> [... string]
int string_format(lua_State *L)
{
    check_stack_left(L); // its frame is large, and it calls __tostring
    if (lua_type(L, 1) != LUA_TSTRING || is_short(L)) {
        return lua_tocfunction(L, lua_upvalueindex(1))(L);
    }
    size_t count;
    const char *next = lua_tolstring(L, 1, &count);
    const char *end = next + count;
    int top = lua_gettop(L);
    int value = 1;
    luaL_checkstack(L, 8, NULL);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    const char *sign;
    while ((sign = memchr(next, '%', (size_t)(end - next))) != NULL) {
        check_killed(L);
        luaL_addlstring(&buffer, next, (size_t)(sign - next));
        size_t length = item_length(sign, end);
        if (length == 2 && sign[1] == '%') {
            luaL_addchar(&buffer, '%');
        } else {
            add_item(L, &buffer, sign, length, ++value, top);
        }
        next = sign + length;
    }
    luaL_addlstring(&buffer, next, (size_t)(end - next));
    luaL_pushresult(&buffer);
    return 1;
}
