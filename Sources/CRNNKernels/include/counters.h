#ifndef CRNNKERNELS_COUNTERS_H
#define CRNNKERNELS_COUNTERS_H

#include <stdint.h>

/* Counters that threads share. Every access is in one order for all of them. */

static inline uint32_t rnn_counter_load(const uint32_t *counter) { return __atomic_load_n(counter, __ATOMIC_SEQ_CST); }

static inline void rnn_counter_store(uint32_t *counter, uint32_t value) {
  __atomic_store_n(counter, value, __ATOMIC_SEQ_CST);
}

/* Adds, and returns the sum. */
static inline uint32_t rnn_counter_add(uint32_t *counter, uint32_t value) {
  return __atomic_add_fetch(counter, value, __ATOMIC_SEQ_CST);
}

/* Looks at a counter up to `times` times for another value than the given one, and returns what it saw last. */
static inline uint32_t rnn_counter_watch(const uint32_t *counter, uint32_t value, uint32_t times) {
  for (uint32_t i = 0; i < times; i++) {
    const uint32_t now = rnn_counter_load(counter);
    if (now != value) return now;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }
  return value;
}

#endif
