/* A wall clock that jumps, for the process that preloads this library.
 *
 * Every 150 ms of real time it shows another time: years back, years ahead, decades back,
 * seconds off, or right. Clocks that count from the machine's start are left alone, as a clock
 * that is set leaves them alone.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const long long OFFSETS_S[] = {0, -400LL * 86400, 30, 900LL * 86400, -7, 0, -20000LL * 86400};
enum { PERIOD_NS = 150000000, COUNT = sizeof OFFSETS_S / sizeof *OFFSETS_S };

static long long offset_s(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return OFFSETS_S[(now.tv_sec * 1000000000LL + now.tv_nsec) / PERIOD_NS % COUNT];
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += offset_s();
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  if (result == 0) {
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
  }
  return result;
}

time_t time(time_t *seconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (seconds) *seconds = now.tv_sec;
  return now.tv_sec;
}
