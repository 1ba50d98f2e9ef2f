// The names of handlers, and the nearest known name to one that was mistyped.
#include <ctype.h>
#include <string.h>

#include "events.h"

const char *const event_names[bridgeEventCount] = {
    "onUpgrade", "onOpen", "onMessage", "onClose", "onStart", "onReload", "onStop", "onDrain",
    "onSubscribe", "onPublish", "onRequest",
};

// The event whose handler has this name, -1 for none. Never raises.
int event_named(const char *name)
{
    for (int event = 0; event < bridgeEventCount; event++) {
        if (strcmp(name, event_names[event]) == 0) {
            return event;
        }
    }
    return -1;
}

enum { longest_name = 32 };

// The number of letters that must be inserted, removed or replaced to turn one name into the other. A difference in
// case does not count.
static int distance(const char *from, const char *to)
{
    int row[longest_name + 1];
    int columns = (int)strlen(to);
    for (int column = 0; column <= columns; column++) {
        row[column] = column;
    }
    for (int line = 1; *from != '\0'; from++, line++) {
        int diagonal = row[0];
        row[0] = line;
        for (int column = 1; column <= columns; column++) {
            bool same = tolower((unsigned char)*from) == tolower((unsigned char)to[column - 1]);
            int replaced = diagonal + (same ? 0 : 1);
            int shorter = (row[column] < row[column - 1] ? row[column] : row[column - 1]) + 1;
            diagonal = row[column];
            row[column] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[columns];
}

// The known name closest to `name`, NULL when none is close enough to be meant. Never raises.
const char *nearest_name(const char *const *names, int count, const char *name)
{
    if (strlen(name) > longest_name) {
        return NULL;
    }
    const char *nearest = NULL;
    int best = (int)strlen(name) / 3 + 1;
    for (int i = 0; i < count; i++) {
        int steps = strlen(names[i]) > longest_name ? best : distance(name, names[i]);
        if (steps < best) {
            best = steps;
            nearest = names[i];
        }
    }
    return nearest;
}
