#include "CFigures.h"

#include <math.h>

/* One step of an LSTM and a dense layer with one input and one output, as RTNeural has them: every size is known when
 * this is compiled, every array stands in the structure, and nothing is taken from the heap. The functions are those of
 * the C library. */

static inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define CLONES
#endif

#define FIXED_SIZE(UNITS)                                                                                      \
  typedef struct {                                                                                             \
    float kernel[4 * UNITS], recurrent[UNITS][4 * UNITS], bias[4 * UNITS], dense[UNITS], dense_bias;           \
    float h[UNITS], c[UNITS];                                                                                  \
  } lstm_##UNITS;                                                                                              \
  static lstm_##UNITS fixed_##UNITS;                                                                           \
  CLONES static float step_##UNITS(float x) {                                                                  \
    lstm_##UNITS *const it = &fixed_##UNITS;                                                                   \
    float sums[4 * UNITS];                                                                                     \
    for (int j = 0; j < 4 * UNITS; j++) sums[j] = it->bias[j] + x * it->kernel[j];                             \
    for (int i = 0; i < UNITS; i++)                                                                            \
      for (int j = 0; j < 4 * UNITS; j++) sums[j] += it->h[i] * it->recurrent[i][j];                           \
    float y = it->dense_bias;                                                                                  \
    for (int j = 0; j < UNITS; j++) {                                                                          \
      const float in = sigmoid(sums[j]), forget = sigmoid(sums[UNITS + j]), candidate = tanhf(sums[2 * UNITS + j]); \
      it->c[j] = forget * it->c[j] + in * candidate;                                                           \
      it->h[j] = sigmoid(sums[3 * UNITS + j]) * tanhf(it->c[j]);                                               \
      y += it->h[j] * it->dense[j];                                                                            \
    }                                                                                                          \
    return y;                                                                                                  \
  }                                                                                                            \
  static void load_##UNITS(const float *kernel, const float *recurrent, const float *bias, const float *dense, \
                           float dense_bias) {                                                                 \
    lstm_##UNITS *const it = &fixed_##UNITS;                                                                   \
    for (int j = 0; j < 4 * UNITS; j++) it->kernel[j] = kernel[j], it->bias[j] = bias[j];                      \
    for (int i = 0; i < UNITS; i++)                                                                            \
      for (int j = 0; j < 4 * UNITS; j++) it->recurrent[i][j] = recurrent[i * 4 * UNITS + j];                  \
    for (int i = 0; i < UNITS; i++) it->dense[i] = dense[i], it->h[i] = 0, it->c[i] = 0;                       \
    it->dense_bias = dense_bias;                                                                               \
  }

#pragma STDC FP_CONTRACT ON
FIXED_SIZE(8)
FIXED_SIZE(16)
FIXED_SIZE(32)
FIXED_SIZE(64)

figures_step figures_fixed_size_lstm(size_t units, const float *kernel, const float *recurrent, const float *bias,
                                     const float *dense, float dense_bias) {
#define SIZE(UNITS) \
  case UNITS: \
    load_##UNITS(kernel, recurrent, bias, dense, dense_bias); \
    return step_##UNITS;
  switch (units) {
    SIZE(8) SIZE(16) SIZE(32) SIZE(64)
    default: return NULL;
  }
#undef SIZE
}
