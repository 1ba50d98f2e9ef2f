// Lua as it comes, with all its libraries and lua-cjson: the reference for the sandbox's own functions. Only tests link this.
#ifndef PERIGEE_STOCK_LUA_H
#define PERIGEE_STOCK_LUA_H

#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

typedef struct StockLua StockLua;

// A state with the standard libraries and the global `cjson`; NULL when there is no memory.
StockLua *_Nullable stockLuaOpen(void);
void stockLuaClose(StockLua *state);

// Runs a script called main.lua, which returns a function of one string. NULL when that went well, otherwise what did
// not; valid until the next call.
const char *_Nullable stockLuaLoad(StockLua *state, const char *source, size_t count);

// Calls the function. Its answer, or its error when `*failed`; valid until the next call.
const char *stockLuaCall(StockLua *state, const char *text, size_t count, size_t *answer_count, bool *failed);

// Errors of older libraries.
typedef enum __attribute__((enum_extensibility(closed))) StockLuaBug : int {
    StockLuaBugConcat,        // a __concat that moves the stack of a young coroutine
    StockLuaBugClose,         // a chain of coroutines that close one another
    StockLuaBugWeakMetatable, // __newindex of a weak metatable, when memory is short
} StockLuaBug;

typedef enum __attribute__((enum_extensibility(closed))) StockLuaFate : int {
    StockLuaFateWell,
    StockLuaFateWrong, // a wrong result
    StockLuaFateCrashed,
    StockLuaFateUnknown, // no process could be made
} StockLuaFate;

// Runs a script that meets the bug, in a process of its own.
StockLuaFate stockLuaMeet(StockLuaBug bug);

#pragma clang assume_nonnull end

#endif
