#define _GNU_SOURCE
#include "CFileSystem.h"

#include <fcntl.h>

void rnn_begin_writing(int descriptor, long long offset, long long count) {
#ifdef __linux__
  sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
#else
  (void)descriptor;
  (void)offset;
  (void)count;
#endif
}
