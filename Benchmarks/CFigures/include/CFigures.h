#ifndef CFIGURES_H
#define CFIGURES_H

#include <stddef.h>

/* What the figures are compared with: the limits of the machine, and a peer in C. */

/* Multiply-adds of float32 on numbers in registers, with the widest vectors of this processor: `rounds` times 16
 * independent vectors. Returns the operations done, a multiplication and an addition counted apart. */
double figures_multiply_add(size_t rounds);

/* Reads `count` floats once, with wide loads, and returns their sum. */
float figures_sweep(const float *floats, size_t count);

/* A step of a small model, one number in and one out; it keeps the states. */
typedef float (*figures_step)(float x);

/* An LSTM (gates i, f, g, o; tanh and sigmoid; one input) and a dense layer with one output, compiled for its number of
 * units: 8, 16, 32 or 64, else NULL. Weights are copied; states start at 0. */
figures_step figures_fixed_size_lstm(size_t units, const float *kernel, const float *recurrent, const float *bias,
                                     const float *dense, float dense_bias);

/* Runs a command (a path and its arguments, then NULL) and writes its wall time in seconds and its peak memory in bytes
 * into the file `report`. Returns the command's status, or another number than 0. */
int figures_alone(const char *report, char *const *command);

#endif
