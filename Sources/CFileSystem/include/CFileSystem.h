#ifndef CFILESYSTEM_H
#define CFILESYSTEM_H

/* What the C library has of files, and its Swift module has not. */

/* Begins to bring a part of a file to its disk, and does not wait; elsewhere than on Linux nothing. */
void rnn_begin_writing(int descriptor, long long offset, long long count);

#endif
