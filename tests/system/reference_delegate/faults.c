#define _GNU_SOURCE
#include "faults.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  const char *name;
  Moment moment;
} Kind;

static const Kind kinds[] = {
    {"refuse", AT_LOAD},       {"refuse-silently", AT_LOAD}, {"crash-load", AT_LOAD},
    {"abort-load", AT_LOAD},   {"hang-load", AT_LOAD},       {"exit-load", AT_LOAD},
    {"refuse-graph", AT_GRAPH}, {"crash-graph", AT_GRAPH},   {"hang", AT_INVOKE},
    {"crash", AT_INVOKE},      {"abort", AT_INVOKE},         {"exit", AT_INVOKE},
    {"error", AT_INVOKE},      {"wrong", AT_INVOKE},         {"slow", AT_INVOKE},
};

static const Kind *kind_of(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  }
  return NULL;
}

static bool number(const char *text, long *value) {
  char *end;
  *value = strtol(text, &end, 10);
  return *text != '\0' && *end == '\0';
}

static bool copy(char *to, size_t size, const char *from) {
  return snprintf(to, size, "%s", from) < (int)size;
}

bool faults_option(Faults *faults, const char *key, const char *value) {
  if (strcmp(key, "fault") == 0) {
    return kind_of(value) != NULL && copy(faults->fault, sizeof faults->fault, value);
  }
  if (strcmp(key, "control") == 0) return copy(faults->control, sizeof faults->control, value);
  if (strcmp(key, "state") == 0) return copy(faults->state, sizeof faults->state, value);
  if (strcmp(key, "after") == 0) return number(value, &faults->after);
  if (strcmp(key, "times") == 0) return number(value, &faults->times);
  if (strcmp(key, "slow-ms") == 0) return number(value, &faults->slow_ms);
  return false;
}

/* Take the fault that the control file names for this moment; the file is empty afterwards. */
static const char *from_control(const char *path, Moment moment) {
  char text[32];
  const char *found = "";
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return found;
  flock(file, LOCK_EX); /* several workers may share a control file */
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  if (length > 0) {
    text[length] = '\0';
    text[strcspn(text, "\r\n \t")] = '\0';
    const Kind *kind = kind_of(text);
    if (kind != NULL && kind->moment == moment && ftruncate(file, 0) == 0) found = kind->name;
  }
  close(file);
  return found;
}

/* Count one more fault in the state file; true while there were fewer than `times` before. */
static bool may_happen(const Faults *faults) {
  if (faults->times < 0 || faults->state[0] == '\0') return true;
  int file = open(faults->state, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return true;
  char text[32];
  flock(file, LOCK_EX);
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  text[length > 0 ? length : 0] = '\0';
  long count = strtol(text, NULL, 10);
  bool may = count < faults->times;
  if (may) {
    int written = snprintf(text, sizeof text, "%ld", count + 1);
    may = pwrite(file, text, (size_t)written, 0) == written;
  }
  close(file);
  return may;
}

static void sleep_ms(long ms) {
  struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  while (nanosleep(&rest, &rest) != 0) {
  }
}

static bool begins(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

const char *faults_next(Faults *faults, Moment moment) {
  const char *name = faults->control[0] != '\0' ? from_control(faults->control, moment) : "";
  bool due = moment != AT_INVOKE || faults->runs++ >= faults->after;
  if (name[0] == '\0' && due && faults->fault[0] != '\0') {
    const Kind *kind = kind_of(faults->fault);
    if (kind->moment == moment && may_happen(faults)) name = kind->name;
  }
  if (begins(name, "crash")) {
    /* Python's own handlers must not turn it into something else: the plain death of a driver. */
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  if (begins(name, "abort")) abort();
  if (begins(name, "exit")) _exit(3);
  if (begins(name, "hang")) {
    for (;;) sleep_ms(1000);
  }
  if (strcmp(name, "slow") == 0) sleep_ms(faults->slow_ms);
  return name;
}
