/* The faults that the reference delegate plays; reference_delegate.c says what each does. */
#ifndef REFERENCE_DELEGATE_FAULTS_H
#define REFERENCE_DELEGATE_FAULTS_H

#include <stdbool.h>

/* When a fault happens. */
typedef enum { AT_LOAD, AT_GRAPH, AT_INVOKE } Moment;

typedef struct {
  char fault[32];     /* none where it is empty */
  char control[1024]; /* a file that names the next fault; none where it is empty */
  char state[1024];   /* a file that counts across processes; none where it is empty */
  long after;         /* runs that go well before `fault` */
  long times;         /* how often `fault` happens in all, with `state`; below 0: always */
  long slow_ms;       /* what `slow` adds to a run */
  long runs;          /* so far */
} Faults;

/* Read one option; false where there is no such option or its value is wrong. */
bool faults_option(Faults *faults, const char *key, const char *value);

/*
 * Give the fault that happens now, or an empty string. Crashes and hangs do not return; what a
 * fault of a name does otherwise is the caller's.
 */
const char *faults_next(Faults *faults, Moment moment);

#endif
