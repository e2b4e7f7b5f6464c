#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

int rnn_spawn_in_folder(posix_spawn_file_actions_t *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

int rnn_spawn_close_from(posix_spawn_file_actions_t *actions, int lowest) {
#ifdef __GLIBC__
  return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
#else
  (void)actions;
  (void)lowest;
  return ENOSYS;
#endif
}

int rnn_memory_file(const char *name) {
#ifdef __linux__
  return memfd_create(name, MFD_CLOEXEC);
#else
  (void)name;
  return -1;
#endif
}
