#ifndef CRNNKERNELS_H
#define CRNNKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "counters.h"

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

  /* The second factor of a product that is made again and again, as the product reads it: the floats that it takes, and
   * how it is made of b[k, n]. */
  size_t (*packed_count)(size_t n, size_t k);
  void (*pack)(size_t n, size_t k, const float *b, size_t ldb, float *out);
  /* c[m, n] <- start[m, n] + a[m, k] b[k, n], to the bits of multiply_add; start and c may be the same memory. With
   * `backwards` not 0, the parts that a single row's columns are made in come from the last to the first. */
  void (*multiply_packed)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                          const float *start, size_t lds, float *c, size_t ldc, int backwards);

  /* out[n, m] <- transposed(a[m, n]), both without gaps. */
  void (*transpose)(size_t m, size_t n, const float *a, float *out);

  /* The backward pass of a convolution whose gradient is mostly zeros, as behind a maximum: for each element that is not
   * zero of dz[windows, filters], with the window's floats at x + window step and dx + window step (`span` of them), and
   * kernel and d_kernel as [filters, span]:
   *
   *     d_kernel[filter] += dz x window     dx window += dz kernel[filter]
   *
   * d_kernel or dx may be NULL. places and values are working memory for windows x filters numbers each, places for
   * windows + filters + 1 more. Every sum of d_kernel is made in ascending order of windows, and a window's part of dx of filters.
   * Returns 1, or 0 where more than a third of dz is not zero, and nothing was done. */
  int (*sparse_windows)(const float *dz, size_t windows, size_t filters, const float *x, float *dx, size_t step,
                        size_t span, const float *kernel, float *d_kernel, uint32_t *places, float *values);

  /* x <- f(x), in place. */
  void (*sigmoid)(float *x, size_t count);
  void (*tanh)(float *x, size_t count);
  void (*exponential)(float *x, size_t count);
  void (*relu)(float *x, size_t count);

  /* One step of `rows` LSTM cells with tanh and sigmoid, behind the product: i, f, g, o <- sums; c <- f c + i g;
   * h <- o tanh(c). gates (i, f, g, o) and tape (c, tanh(c)) may be NULL. c and h have no gaps. */
  void (*lstm_step)(size_t rows, size_t units, const float *sums, size_t sums_step, float *c, float *h, float *gates,
                    size_t gates_step, float *tape, size_t tape_step);
  /* The same for GRU cells that reset after the product: z, r <- sums + products; n <- sums + r products;
   * h <- z h + (1 - z) n. gates (z, r, n) and tape (n's product, h before) may be NULL. */
  void (*gru_step)(size_t rows, size_t units, const float *sums, size_t sums_step, const float *products,
                   size_t products_step, float *h, float *gates, size_t gates_step, float *tape, size_t tape_step);
  /* out[windows, width] <- start + for each tap, table[slots[window step + tap dilation], tap width ...], whose rows have
   * `span` floats; start may be NULL. */
  void (*sum_windows)(float *out, size_t windows, size_t width, const float *start, const float *table,
                      const uint32_t *slots, size_t span, size_t taps, size_t step, size_t dilation);

  /* c <- f c + i g */
  void (*lstm_cell)(float *c, const float *i, const float *f, const float *g, size_t count);
  /* h <- z h + (1 - z) n */
  void (*gru_state)(float *h, const float *z, const float *n, size_t count);
  /* out <- a b */
  void (*multiply)(float *out, const float *a, const float *b, size_t count);
  /* out <- out + a b */
  void (*multiply_accumulate)(float *out, const float *a, const float *b, size_t count);
  /* out <- max(out, x), NaN wins */
  void (*maximum)(float *out, const float *x, size_t count);
  /* out <- out + x */
  void (*add)(float *out, const float *x, size_t count);

  /* Derivatives from the functions' outputs: dx <- f'(..) dy. dx and dy may be the same memory. */
  void (*relu_gradient)(float *dx, const float *y, const float *dy, size_t count);
  void (*sigmoid_gradient)(float *dx, const float *y, const float *dy, size_t count);
  void (*tanh_gradient)(float *dx, const float *y, const float *dy, size_t count);

  /* One step of an LSTM with tanh and sigmoid, backwards; the gates (i, f, g, o; 4 units) become the gradients of their sums.
   * dh is taken and set to 0; dc is that after the step on entry, that before it on return. */
  void (*lstm_gradient)(float *dh, float *dc, float *gates, const float *squashed, const float *c_before, size_t units);

  /* One window of a maximum over `steps` rows of `width` channels: dx at the first largest step gains dy. */
  void (*max_pool_gradient)(float *dx, const float *x, const float *y, const float *dy, size_t width, size_t steps);

  /* factors holds numbers in 0 ..< 1 and becomes kept where they are at least rate, else 0; y <- x factors. */
  void (*dropout)(float *y, const float *x, float *factors, size_t count, float rate, float kept);

  /* For each position: sum[ids[position]] += rows[position], and squares += its squares where not NULL; of rows of
   * `width` floats only the `columns` from `first` on. */
  void (*add_rows)(float *sum, float *squares, const float *rows, const ptrdiff_t *ids, size_t count, size_t width,
                   size_t first, size_t columns);

  /* 1 where no element is NaN or infinite, else 0. */
  int (*are_finite)(const float *x, size_t count);

  /* Random numbers in 0 ..< 1 by Philox4x32-10 (Salmon et al. 2011): out[4 i + j] is word j of the counter
   * (first + i, high, counter[0], counter[1]), where high is the upper half of first + i, xor stream << 28. */
  void (*uniform)(float *out, size_t blocks, uint64_t first, const uint32_t key[2], const uint32_t counter[2],
                  uint32_t stream);

  /* One step of Adam: m += (g - m) keep1, v += (s - v) keep2, p -= alpha m / (sqrt(v) + epsilon); s is g squared, or
   * squares where it is not NULL. Moments too small for a normal number become 0. */
  void (*adam)(float *p, const float *g, const float *squares, float *m, float *v, size_t count, float alpha,
               float keep1, float keep2, float epsilon);
  /* The same with gradients of 0, `steps` times, each with its own alpha: the same bits. */
  void (*adam_idle)(float *p, float *m, float *v, size_t count, const float *alphas, size_t steps, float keep1,
                    float keep2, float epsilon);
} rnn_kernels;

/* The kernels of the named instruction set; of the best one for a null or empty name; NULL where the machine or the
 * build has none of that name. */
const rnn_kernels *rnn_kernels_named(const char *name);

#endif
