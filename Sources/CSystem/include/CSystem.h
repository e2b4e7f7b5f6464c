#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <spawn.h>

/* Functions that the C library has, and its Swift module has not. Each is what its namesake's manual page says; where a
   system lacks one, it returns ENOSYS or, for a descriptor, -1. */

int rnn_spawn_in_folder(posix_spawn_file_actions_t *actions, const char *path);

/* Closes every descriptor from `lowest` on in the child. */
int rnn_spawn_close_from(posix_spawn_file_actions_t *actions, int lowest);

/* A pipe, its ends closed when another program starts. Where two steps are needed for that, another thread may start one
   in between. */
int rnn_pipe(int ends[2]);

/* A file in memory, which no folder knows; closed when another program starts. */
int rnn_memory_file(const char *name);
#endif
