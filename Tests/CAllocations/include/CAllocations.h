#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdint.h>

/* Whether allocations can be counted: where the C library is glibc, whose functions a program may put its own before. */
int allocations_are_counted(void);

/* How often the calling thread has asked for memory so far, and how often for 256 bytes or more at once. */
uint64_t allocations_of_this_thread(void);
uint64_t large_allocations_of_this_thread(void);

#endif
