/*
 * A library that is loaded instead of libedgetpu.so.1 and does what FAKE_EDGETPU says:
 *
 *   loads     gives a delegate that does nothing
 *   no-tpu    gives none and does not say why, as libedgetpu does without an Edge TPU
 *   says      gives none and says why
 *   crashes   dies of SIGSEGV while the delegate is made, as old builds do with newer runtimes
 *   hangs     never returns
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first fields of TfLiteDelegate; the runtime calls Prepare only for a model. */
static struct {
  void *data;
  int (*prepare)(void *context, void *delegate);
  void *copy_from, *copy_to, *free_handle;
  long long flags;
  void *more[8];
} delegate;

const char *edgetpu_version(void) { return "BuildLabel(FAKE), RuntimeVersion(14)"; }

void *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                    void (*report_error)(const char *)) {
  const char *behaviour = getenv("FAKE_EDGETPU");
  (void)keys, (void)values, (void)count;
  if (!strcmp(behaviour, "crashes")) raise(SIGSEGV);
  if (!strcmp(behaviour, "hangs")) pause();
  if (!strcmp(behaviour, "says")) report_error("the firmware cannot be loaded");
  return strcmp(behaviour, "loads") ? NULL : (void *)&delegate;
}

void tflite_plugin_destroy_delegate(void *made) { (void)made; }
