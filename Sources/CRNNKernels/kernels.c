#include "CRNNKernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Contraction into fused multiply-adds is what makes the products fast and their bits a property of the instruction
 * set; nothing else may be reordered. */
#pragma STDC FP_CONTRACT ON

#define WIDTH 4
#define NAME(x) x##_baseline
#define ISA "baseline"
#include "kernels.inc"
#undef WIDTH
#undef NAME
#undef ISA

#if defined(__x86_64__) && (defined(__linux__) || defined(__APPLE__))
#define HAS_X86_KERNELS 1

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define WIDTH 8
#define NAME(x) x##_avx2
#define ISA "avx2"
#include "kernels.inc"
#undef WIDTH
#undef NAME
#undef ISA
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma"))), apply_to = function)
#define WIDTH 16
#define NAME(x) x##_avx512
#define ISA "avx512"
#include "kernels.inc"
#undef WIDTH
#undef NAME
#undef ISA
#pragma clang attribute pop
#endif

const rnn_kernels *rnn_kernels_named(const char *name) {
  const int any = name == NULL || name[0] == '\0';
#ifdef HAS_X86_KERNELS
  __builtin_cpu_init();
  if (any || strcmp(name, "avx512") == 0) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
      return &table_avx512;
    if (!any) return NULL;
  }
  if (any || strcmp(name, "avx2") == 0) {
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &table_avx2;
    if (!any) return NULL;
  }
#endif
  if (any || strcmp(name, "baseline") == 0) return &table_baseline;
  return NULL;
}
