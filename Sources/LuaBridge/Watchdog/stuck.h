// What the signal's handler and the watchdog share about a handler that cannot be killed: one at a time.
#ifndef PERIGEE_STUCK_H
#define PERIGEE_STUCK_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "BridgeTypes.h"

enum {
    kill_signal = SIGURG, // ignored where nobody handles it
    stuck_frames = 32,
};

// What became of a report: its number times four, and one of these. A note that comes late finds the number of another report
// and is dropped; while it is being written no other begins.
enum { note_none, note_wanted, note_begun, note_done };

typedef struct Stuck {
    _Atomic uint32_t state;
    void *frames[stuck_frames]; // native, innermost first
    int frame_count;
    char lua[2048];
    size_t lua_count;
} Stuck;

extern Stuck stuck;

// Finds out where code lies, before any handler runs.
void stuck_prepare(void);

// Notes where the bridge's thread is, if the report that asked still waits for it. The context is what the kernel gave the handler.
void stuck_note(Bridge *b, const void *context);

#endif
