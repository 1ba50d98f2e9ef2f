// The calls of SQLite that Swift cannot import by itself: a destructor that is a macro with a cast.
#ifndef PERIGEE_CSQLITE_SHIM_H
#define PERIGEE_CSQLITE_SHIM_H

#include <sqlite3.h>

/// Binds bytes, which SQLite copies. No bytes are an empty blob and not NULL.
static inline int perigee_sqlite_bind_copy(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}

/// Binds bytes that stay where they are until the statement is reset.
static inline int perigee_sqlite_bind_view(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes ? bytes : "", count, SQLITE_STATIC);
}

#endif
