#ifndef CFIGURES_H
#define CFIGURES_H

#include <stddef.h>

/* The limits of the machine that the figures are compared with. */

/* Multiply-adds of float32 on numbers in registers, with the widest vectors of this processor: `rounds` times 16
 * independent vectors. Returns the operations done, a multiplication and an addition counted apart. */
double figures_multiply_add(size_t rounds);

/* Reads `count` floats once, with wide loads, and returns their sum. */
float figures_sweep(const float *floats, size_t count);

#endif
