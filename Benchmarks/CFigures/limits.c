#include "CFigures.h"

#define VECTORS 16

#define LOOPS(suffix, width)                                                                  \
  typedef float vec_##suffix __attribute__((vector_size(4 * width), aligned(4)));             \
  static double multiply_add_##suffix(size_t rounds) {                                        \
    vec_##suffix sum[VECTORS], a = 0.999f - (vec_##suffix){0}, b = 0.001f - (vec_##suffix){0}; \
    for (int v = 0; v < VECTORS; v++) sum[v] = (float)v - (vec_##suffix){0};                  \
    for (size_t i = 0; i < rounds; i++) {                                                     \
      for (int v = 0; v < VECTORS; v++) sum[v] = sum[v] * a + b;                              \
      __asm__ volatile("" : "+v"(a), "+v"(b));                                                \
    }                                                                                         \
    vec_##suffix all = {0};                                                                   \
    for (int v = 0; v < VECTORS; v++) all += sum[v];                                          \
    volatile float kept = all[0];                                                             \
    (void)kept;                                                                               \
    return 2.0 * VECTORS * width * (double)rounds;                                            \
  }                                                                                           \
  static float sweep_##suffix(const float *floats, size_t count) {                            \
    vec_##suffix sum[4] = {{0}};                                                              \
    for (size_t i = 0; i + 4 * width <= count; i += 4 * width)                                \
      for (int v = 0; v < 4; v++) sum[v] += *(const vec_##suffix *)(floats + i + v * width);  \
    float all = 0;                                                                            \
    for (int lane = 0; lane < width; lane++) all += sum[0][lane] + sum[1][lane] + sum[2][lane] + sum[3][lane]; \
    return all;                                                                               \
  }

#pragma STDC FP_CONTRACT ON
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
LOOPS(avx512, 16)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
LOOPS(avx2, 8)
#pragma clang attribute pop

double figures_multiply_add(size_t rounds) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") ? multiply_add_avx512(rounds) : multiply_add_avx2(rounds);
}

float figures_sweep(const float *floats, size_t count) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") ? sweep_avx512(floats, count) : sweep_avx2(floats, count);
}
#else
#undef LOOPS
/* Four lanes: what the other processors have. */
typedef float vec __attribute__((vector_size(16), aligned(4)));

double figures_multiply_add(size_t rounds) {
  vec sum[VECTORS], a = 0.999f - (vec){0}, b = 0.001f - (vec){0};
  for (int v = 0; v < VECTORS; v++) sum[v] = (float)v - (vec){0};
  for (size_t i = 0; i < rounds; i++) {
    for (int v = 0; v < VECTORS; v++) sum[v] = sum[v] * a + b;
    __asm__ volatile("" : "+w"(a), "+w"(b));
  }
  vec all = {0};
  for (int v = 0; v < VECTORS; v++) all += sum[v];
  volatile float kept = all[0];
  (void)kept;
  return 2.0 * VECTORS * 4 * (double)rounds;
}

float figures_sweep(const float *floats, size_t count) {
  vec sum[4] = {{0}};
  for (size_t i = 0; i + 16 <= count; i += 16)
    for (int v = 0; v < 4; v++) sum[v] += *(const vec *)(floats + i + v * 4);
  return sum[0][0] + sum[1][1] + sum[2][2] + sum[3][3];
}
#endif
