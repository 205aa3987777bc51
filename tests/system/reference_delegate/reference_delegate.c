/*
 * An external TFLite delegate that acts as accelerators, good and bad ones, in
 * ai-edge-litert 2.x and in tflite-runtime 2.14.
 *
 * What it claims it computes right: each claimed operator through the runtime's own builtin kernel,
 * called from the delegate's node. So its answers are those of the builtin kernels, bit for bit.
 *
 * Options:
 *
 *   claim     all (the default), none, or operators with commas between: names as in the list
 *             below, or their numbers in TFLite's schema
 *   fault     what goes wrong, see below
 *   after     in how many runs all goes well before that (0); a run is one inference
 *   times     how often the fault happens in all, counted across processes in the file `state`
 *   state     that file
 *   slow-ms   what `slow` adds to a run, milliseconds (100)
 *   control   a file; when it names a fault, that one happens once, and the file is emptied
 *   lock      a file that one process at a time may hold: who comes second is refused silently,
 *             as by an accelerator that is in use
 *   device    taken and not looked at, as an Edge TPU's name
 *
 * REFERENCE_DELEGATE in the environment holds options too, key=value with ';' between; those that
 * the program gives come after it.
 *
 * Faults:
 *
 *   refuse           the library loads, but gives no delegate, and says why
 *   refuse-silently  the same without a message, as libedgetpu does without an Edge TPU
 *   crash-load, abort-load, exit-load, hang-load    while the delegate is created
 *   refuse-graph, crash-graph                       while it is given the model
 *   crash (SIGSEGV), abort (SIGABRT), exit, hang    in a run
 *   error            a run fails with a status
 *   wrong            a run succeeds, but every byte of its outputs is inverted
 *   slow             a run takes longer
 *
 * In a run, faults happen in the delegate's first node; where it claims nothing there is none.
 */
#define _GNU_SOURCE
#include "faults.h"
#include "tflite_abi.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_CLAIMS = 32 };

typedef struct {
  Delegate delegate; /* first: the runtime's pointer is this structure's */
  Faults faults;
  bool claim_all;
  int claims[MAX_CLAIMS];
  int claim_count;
  int kernels;
  char lock[1024];
  int lock_file; /* open while the lock is held, else -1 */
} Reference;

/* One operator of a claimed part of the graph. */
typedef struct {
  Node node; /* a copy: the runtime moves its nodes when it adds some */
  Registration kernel;
} Operator;

/* A claimed part of the graph, which the runtime sees as one node. */
typedef struct {
  Reference *reference;
  bool first;
  int count;
  Operator *operators;
  IntArray *inner; /* tensors that pass from one operator to another */
} Part;

static const struct {
  const char *name;
  int code;
} names[] = {
    {"ADD", 0},           {"AVERAGE_POOL_2D", 1}, {"CONCATENATION", 2},   {"CONV_2D", 3},
    {"DEPTHWISE_CONV_2D", 4}, {"DEQUANTIZE", 6},  {"FULLY_CONNECTED", 9}, {"LOGISTIC", 14},
    {"MAX_POOL_2D", 17},  {"MUL", 18},            {"RELU", 19},           {"RESHAPE", 22},
    {"RESIZE_BILINEAR", 23}, {"SOFTMAX", 25},     {"PAD", 34},            {"MEAN", 40},
    {"QUANTIZE", 114},
};

static IntArray *new_array(int size) {
  IntArray *array = calloc(1, sizeof(IntArray) + sizeof(int) * (size_t)size);
  if (array != NULL) array->size = size;
  return array;
}

static bool contains(const IntArray *array, int value) {
  for (int i = 0; i < array->size; i++) {
    if (array->data[i] == value) return true;
  }
  return false;
}

/* ---- a part of the graph ---- */

static void part_free(Context *context, void *buffer) {
  Part *part = buffer;
  if (part == NULL) return;
  for (int i = 0; i < part->count; i++) {
    Operator *op = &part->operators[i];
    if (op->kernel.free != NULL) op->kernel.free(context, op->node.user_data);
    free(op->node.temporaries);
  }
  free(part->operators);
  free(part->inner);
  free(part);
}

/* Note which tensors stay within the part: the runtime plans no memory for them by itself. */
static IntArray *inner_tensors(const Part *part, const IntArray *outputs) {
  int total = 0;
  for (int i = 0; i < part->count; i++) total += part->operators[i].node.outputs->size;
  IntArray *inner = new_array(total);
  if (inner == NULL) return NULL;
  inner->size = 0;
  for (int i = 0; i < part->count; i++) {
    const IntArray *made = part->operators[i].node.outputs;
    for (int j = 0; j < made->size; j++) {
      if (!contains(outputs, made->data[j]) && !contains(inner, made->data[j])) {
        inner->data[inner->size++] = made->data[j];
      }
    }
  }
  return inner;
}

static void *part_init(Context *context, const char *buffer, size_t length) {
  (void)length;
  const DelegateParams *params = (const DelegateParams *)buffer;
  Part *part = calloc(1, sizeof(Part));
  if (part == NULL) return NULL;
  part->reference = (Reference *)params->delegate;
  part->first = part->reference->kernels++ == 0;
  part->operators = calloc((size_t)params->nodes->size, sizeof(Operator));
  for (int i = 0; part->operators != NULL && i < params->nodes->size; i++) {
    Node *node;
    Registration *kernel;
    if (context->get_node_and_registration(context, params->nodes->data[i], &node, &kernel)) break;
    Operator *op = &part->operators[i];
    op->node = *node;
    op->kernel = *kernel;
    /* Its own state: the runtime takes back the memory that the replaced node's state names. */
    op->node.temporaries = new_array(0); /* the kernel's prepare replaces and frees it */
    if (op->node.temporaries == NULL) break;
    if (kernel->init != NULL) op->node.user_data = kernel->init(context, node->builtin_data, 0);
    part->count++;
  }
  if (part->count == params->nodes->size) part->inner = inner_tensors(part, params->outputs);
  if (part->inner == NULL) {
    part_free(context, part);
    return NULL;
  }
  return part;
}

/* Prepare the operators, then ask for the memory that they need in between. */
static Status part_prepare(Context *context, Node *node) {
  Part *part = node->user_data;
  if (part == NULL) return STATUS_ERROR;
  int total = part->inner->size;
  for (int i = 0; i < part->count; i++) {
    Operator *op = &part->operators[i];
    if (op->kernel.prepare != NULL) {
      Status status = op->kernel.prepare(context, &op->node);
      if (status != STATUS_OK) return status;
    }
    total += op->node.temporaries->size;
  }
  IntArray *needed = new_array(total);
  if (needed == NULL) return STATUS_ERROR;
  needed->size = part->inner->size;
  memcpy(needed->data, part->inner->data, sizeof(int) * (size_t)part->inner->size);
  for (int i = 0; i < part->count; i++) {
    const IntArray *own = part->operators[i].node.temporaries;
    for (int j = 0; j < own->size; j++) {
      if (own->data[j] >= 0) needed->data[needed->size++] = own->data[j];
    }
  }
  free(node->temporaries);
  node->temporaries = needed;
  return STATUS_OK;
}

static Status part_invoke(Context *context, Node *node) {
  Part *part = node->user_data;
  const char *fault = part->first ? faults_next(&part->reference->faults, AT_INVOKE) : "";
  if (strcmp(fault, "error") == 0) {
    context->report_error(context, "reference delegate: told to fail");
    return STATUS_ERROR;
  }
  for (int i = 0; i < part->count; i++) {
    Operator *op = &part->operators[i];
    Status status = op->kernel.invoke(context, &op->node);
    if (status != STATUS_OK) return status;
  }
  if (strcmp(fault, "wrong") == 0) {
    for (int i = 0; i < node->outputs->size; i++) {
      Tensor *tensor = &context->tensors[node->outputs->data[i]];
      unsigned char *bytes = tensor->data;
      for (size_t j = 0; j < tensor->bytes; j++) bytes[j] = (unsigned char)~bytes[j];
    }
  }
  return STATUS_OK;
}

/* ---- the delegate ---- */

static bool claims(const Reference *reference, int code) {
  if (reference->claim_all) return true;
  for (int i = 0; i < reference->claim_count; i++) {
    if (reference->claims[i] == code) return true;
  }
  return false;
}

static Status prepare(Context *context, Delegate *delegate) {
  Reference *reference = (Reference *)delegate;
  if (strcmp(faults_next(&reference->faults, AT_GRAPH), "refuse-graph") == 0) {
    context->report_error(context, "reference delegate: told to refuse the model");
    return STATUS_ERROR;
  }
  IntArray *plan;
  if (context->get_execution_plan(context, &plan) != STATUS_OK) return STATUS_ERROR;
  IntArray *wanted = new_array(plan->size);
  if (wanted == NULL) return STATUS_ERROR;
  wanted->size = 0;
  for (int i = 0; i < plan->size; i++) {
    Node *node;
    Registration *kernel;
    if (context->get_node_and_registration(context, plan->data[i], &node, &kernel)) continue;
    /* A custom operator, or another delegate's, is nothing that this one could take over. */
    bool builtin = kernel->custom_name == NULL && kernel->builtin_code != BUILTIN_DELEGATE;
    if (builtin && kernel->invoke != NULL && claims(reference, kernel->builtin_code)) {
      wanted->data[wanted->size++] = plan->data[i];
    }
  }
  Registration registration = {
      .init = part_init,
      .free = part_free,
      .prepare = part_prepare,
      .invoke = part_invoke,
      .builtin_code = BUILTIN_DELEGATE,
      .custom_name = "EdgeinferReference",
      .version = 1,
  };
  Status status = wanted->size == 0 ? STATUS_OK
                                    : context->replace_node_subsets(context, registration, wanted,
                                                                    delegate);
  free(wanted);
  return status;
}

static bool add_claim(Reference *reference, const char *name, size_t length) {
  char *end;
  long code = strtol(name, &end, 10);
  if (length == 0 || reference->claim_count == MAX_CLAIMS) return false;
  if (end != name + length) {
    code = -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      if (strlen(names[i].name) == length && strncmp(names[i].name, name, length) == 0) {
        code = names[i].code;
      }
    }
  }
  reference->claims[reference->claim_count++] = (int)code;
  return code >= 0;
}

static bool read_claims(Reference *reference, const char *value) {
  reference->claim_all = strcmp(value, "all") == 0;
  reference->claim_count = 0;
  if (reference->claim_all || strcmp(value, "none") == 0) return true;
  for (const char *name = value;; name += strcspn(name, ",") + 1) {
    if (!add_claim(reference, name, strcspn(name, ","))) return false;
    if (name[strcspn(name, ",")] == '\0') return true;
  }
}

static bool set_option(Reference *reference, const char *key, const char *value) {
  if (strcmp(key, "claim") == 0) return read_claims(reference, value);
  if (strcmp(key, "lock") == 0) {
    return snprintf(reference->lock, sizeof reference->lock, "%s", value) <
           (int)sizeof reference->lock;
  }
  return strcmp(key, "device") == 0 || faults_option(&reference->faults, key, value);
}

/* Take the options of the environment; wrong ones are ignored, as they are for tests alone. */
static void read_environment(Reference *reference) {
  const char *given = getenv("REFERENCE_DELEGATE");
  char *text = given == NULL ? NULL : strdup(given);
  char *rest = NULL;
  for (char *pair = text == NULL ? NULL : strtok_r(text, ";", &rest); pair != NULL;
       pair = strtok_r(NULL, ";", &rest)) {
    char *value = strchr(pair, '=');
    if (value == NULL) continue;
    *value = '\0';
    set_option(reference, pair, value + 1);
  }
  free(text);
}

/* Take the lock, if there is one; false where another process has it. */
static bool take_lock(Reference *reference) {
  if (reference->lock[0] == '\0') return true;
  reference->lock_file = open(reference->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return reference->lock_file >= 0 && flock(reference->lock_file, LOCK_EX | LOCK_NB) == 0;
}

static void free_reference(Reference *reference) {
  if (reference == NULL) return;
  if (reference->lock_file >= 0) close(reference->lock_file);
  free(reference);
}

__attribute__((visibility("default"))) Delegate *tflite_plugin_create_delegate(
    char **keys, char **values, size_t count, void (*report_error)(const char *)) {
  Reference *reference = calloc(1, sizeof(Reference));
  if (reference == NULL) return NULL;
  reference->claim_all = true;
  reference->lock_file = -1;
  reference->faults.times = -1;
  reference->faults.slow_ms = 100;
  reference->delegate.prepare = prepare;
  read_environment(reference);
  for (size_t i = 0; i < count; i++) {
    if (!set_option(reference, keys[i], values[i])) {
      char text[256];
      snprintf(text, sizeof text, "reference delegate: bad option %s=%s", keys[i], values[i]);
      if (report_error != NULL) report_error(text);
      free_reference(reference);
      return NULL;
    }
  }
  const char *fault = faults_next(&reference->faults, AT_LOAD);
  if (strncmp(fault, "refuse", 6) == 0) {
    if (strcmp(fault, "refuse") == 0 && report_error != NULL) {
      report_error("reference delegate: told to refuse");
    }
    free_reference(reference);
    return NULL;
  }
  if (!take_lock(reference)) {
    free_reference(reference);
    return NULL;
  }
  return &reference->delegate;
}

/* The runtimes' Python calls this with NULL after a refusal. */
__attribute__((visibility("default"))) void tflite_plugin_destroy_delegate(Delegate *delegate) {
  free_reference((Reference *)delegate);
}
