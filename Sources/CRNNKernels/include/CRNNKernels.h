#ifndef CRNNKERNELS_H
#define CRNNKERNELS_H

#include <stddef.h>
#include <stdint.h>

/* The few hot loops of the runtime, in one copy for each instruction set.
 *
 * Every product sums over its inner dimension in ascending order, whatever the tile or the number of rows, so that a
 * result depends on the instruction set alone. */
typedef struct __attribute__((swift_attr("@Sendable"))) {
  /* "baseline", "avx2" or "avx512". */
  const char *name;

  /* c[m, n] += a[m, k] b[k, n], all row-major; lda, ldb, ldc are the floats from one row to the next. */
  void (*multiply_add)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                       size_t ldc);

  /* c[m, n] += transposed(a[k, m]) b[k, n]: what gradients of weights are made of. */
  void (*multiply_transposed_add)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                                  float *c, size_t ldc);

  /* x <- f(x), in place. */
  void (*sigmoid)(float *x, size_t count);
  void (*tanh)(float *x, size_t count);
  void (*exponential)(float *x, size_t count);
  void (*relu)(float *x, size_t count);

  /* c <- f c + i g */
  void (*lstm_cell)(float *c, const float *i, const float *f, const float *g, size_t count);
  /* h <- z h + (1 - z) n */
  void (*gru_state)(float *h, const float *z, const float *n, size_t count);
  /* out <- a b */
  void (*multiply)(float *out, const float *a, const float *b, size_t count);
  /* out <- max(out, x), NaN wins */
  void (*maximum)(float *out, const float *x, size_t count);
  /* out <- out + x */
  void (*add)(float *out, const float *x, size_t count);

  /* 1 where no element is NaN or infinite, else 0. */
  int (*are_finite)(const float *x, size_t count);

  /* Random numbers in 0 ..< 1 by Philox4x32-10 (Salmon et al. 2011): out[4 i + j] is word j of the counter
   * (first + i, high, counter[0], counter[1]), where high is the upper half of first + i, xor stream << 28. */
  void (*uniform)(float *out, size_t blocks, uint64_t first, const uint32_t key[2], const uint32_t counter[2],
                  uint32_t stream);

  /* One step of Adam: m += (g - m) keep1, v += (s - v) keep2, p -= alpha m / (sqrt(v) + epsilon); s is g squared, or
   * squares where it is not NULL. */
  void (*adam)(float *p, const float *g, const float *squares, float *m, float *v, size_t count, float alpha,
               float keep1, float keep2, float epsilon);
} rnn_kernels;

/* The kernels of the named instruction set; of the best one for a null or empty name; NULL where the machine or the
 * build has none of that name. */
const rnn_kernels *rnn_kernels_named(const char *name);

#endif
