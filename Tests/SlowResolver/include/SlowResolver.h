// Names that the tests resolve themselves for the whole process: see slow_resolver.c.
#ifndef SLOW_RESOLVER_H
#define SLOW_RESOLVER_H

/// Lookups of "hangs.test" block until as many calls of this have been made. `resolver_blocked` is the number that block now.
void resolver_release(int count);
int resolver_blocked(void);

/// The same for "stays.test", which the servers of one test ask for: that of another cannot let its look-ups go.
void resolver_let_go(int count);
int resolver_staying(void);

/// From now on "moves.test" has this numeric address.
void resolver_move(const char *address);

#endif
