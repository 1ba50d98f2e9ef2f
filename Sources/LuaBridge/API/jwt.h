// Shared by the two halves of the table `jwt`.
#ifndef PERIGEE_BRIDGE_JWT_H
#define PERIGEE_BRIDGE_JWT_H

#include <stdio.h>

#include "State/state.h"
#include "signature.h"

enum {
    longest_token = 16 * 1024, // bytes
    longest_kid = 255,
};

extern const char *const jwt_algorithm_names[signature_algorithms];

// The algorithm with that name, negative if it is not supported. Never raises.
int jwt_algorithm_named(const char *name);

// Reads one of the options, which must be a table or nil. [...] -> [... value]
int jwt_option(lua_State *L, int index, const char *name);

// [] -> [nil reason]
int jwt_refuse(lua_State *L, const char *reason);

int jwt_sign(lua_State *L);

#endif
