#include "CFigures.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The peak of a process starts with that of the one which became it: of a copy of this one, which is small. */
int figures_alone(const char *report, char *const *command) {
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const pid_t child = fork();
  if (child < 0) return 71;
  if (child == 0) {
    execv(command[0], command);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  pid_t ended;
  do ended = wait4(child, &status, 0, &usage);
  while (ended < 0 && errno == EINTR);
  if (ended != child) return 71;
  clock_gettime(CLOCK_MONOTONIC, &end);
#ifdef __APPLE__
  const long long unit = 1;
#else
  const long long unit = 1024;
#endif
  FILE *const file = fopen(report, "w");
  if (!file) return 73;
  const double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
  const int written = fprintf(file, "%.9f %lld\n", seconds, (long long)usage.ru_maxrss * unit);
  if (fclose(file) != 0 || written < 0) return 73;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
