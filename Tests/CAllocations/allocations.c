#include "CAllocations.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__linux__) && defined(__GLIBC__)
static _Thread_local uint64_t count, large;

static void note(size_t size) {
  count++;
  if (size >= 256) large++;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note(number * size);
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  note(size);
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  note(size);
  void *const found = __libc_memalign(alignment, size);
  if (!found) return ENOMEM;
  *memory = found;
  return 0;
}

int allocations_are_counted(void) { return 1; }
uint64_t allocations_of_this_thread(void) { return count; }
uint64_t large_allocations_of_this_thread(void) { return large; }
#else
int allocations_are_counted(void) { return 0; }
uint64_t allocations_of_this_thread(void) { return 0; }
uint64_t large_allocations_of_this_thread(void) { return 0; }
#endif
