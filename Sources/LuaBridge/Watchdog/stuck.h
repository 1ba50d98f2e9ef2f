// The report about a handler that cannot be killed, shared by the signal's handler and the watchdog: one at a time.
#ifndef PERIGEE_STUCK_H
#define PERIGEE_STUCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "BridgeTypes.h"

enum { stuck_frames = 32 };

// The state of a report: its number times four, plus one of these. A note that comes late finds the number of another
// report and is dropped; while a note is being written, no other report begins.
enum { note_none, note_wanted, note_begun, note_done };

typedef struct Stuck {
    _Atomic uint32_t state;
    void *frames[stuck_frames]; // native, innermost first
    int frame_count;
    char lua[2048];
    size_t lua_count;
} Stuck;

extern Stuck stuck;

// Finds the addresses of code, before any handler runs.
void stuck_prepare(void);

// Notes the place of the bridge's thread, if the report that asked for it still waits. The context is the one that the
// kernel gave to the handler.
void stuck_note(Bridge *b, const void *context);

#endif
