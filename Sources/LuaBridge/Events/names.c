// The names of handlers, and the nearest known name to one that was mistyped.
#include <string.h>

#include "CNearestName.h"
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

// The known name closest to `name`, NULL when none is close enough to be meant. Never raises.
const char *nearest_name(const char *const *names, int count, const char *name)
{
    nearest_name_search search;
    nearest_name_begin(&search, name, strlen(name));
    const char *nearest = NULL;
    for (int i = 0; i < count; i++) {
        if (nearest_name_offer(&search, names[i], strlen(names[i]))) {
            nearest = names[i];
        }
    }
    return nearest;
}
