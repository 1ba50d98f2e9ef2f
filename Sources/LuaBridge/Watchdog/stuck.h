// What the signal's handler and the watchdog share about a handler that cannot be killed: one at a time.
#ifndef PERIGEE_STUCK_H
#define PERIGEE_STUCK_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "BridgeTypes.h"

enum {
    kill_signal = SIGURG, // ignored where nobody handles it
    stuck_frames = 32,
};

typedef struct Stuck {
    _Atomic bool is_noted;
    void *frames[stuck_frames]; // native, innermost first
    int frame_count;
    char lua[2048];
    size_t lua_count;
} Stuck;

extern Stuck stuck;

// Finds out where code lies, before any handler runs.
void stuck_prepare(void);

// Notes where the bridge's thread is. The context is what the kernel gave the handler.
void stuck_note(Bridge *b, const void *context);

#endif
