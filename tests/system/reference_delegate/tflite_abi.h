/*
 * What an external delegate sees of TensorFlow Lite: the part of its C structures that this one
 * uses, declared here because the wheels of tflite-runtime and ai-edge-litert ship no headers.
 *
 * The layout is that of tensorflow/lite/core/c/common.h as of TensorFlow 2.14 and of LiteRT 2.x.
 * Structures that only the runtime allocates end where this delegate stops looking.
 */
#ifndef REFERENCE_DELEGATE_TFLITE_ABI_H
#define REFERENCE_DELEGATE_TFLITE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_DELEGATE_ERROR = 2 } Status;

/* The custom code that the runtime shows for the nodes of a delegate. */
enum { BUILTIN_DELEGATE = 51 };

typedef struct {
  int size;
  int data[];
} IntArray;

typedef struct {
  int type;
  void *data;
  IntArray *dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  void *delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct {
    int type;
    void *params;
  } quantization;
  void *sparsity;
  const IntArray *dims_signature;
} Tensor;

typedef struct {
  IntArray *inputs;
  IntArray *outputs;
  IntArray *intermediates;
  IntArray *temporaries;
  void *user_data;
  void *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
  void *delegate;
  bool might_have_side_effect;
} Node;

typedef struct Context Context;
typedef struct Delegate Delegate;

/* An operator's kernel. It is passed by value, so its size is part of the interface. */
typedef struct {
  void *(*init)(Context *context, const char *buffer, size_t length);
  void (*free)(Context *context, void *buffer);
  Status (*prepare)(Context *context, Node *node);
  Status (*invoke)(Context *context, Node *node);
  const char *(*profiling_string)(const Context *context, const Node *node);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *(*async_kernel)(Context *context, Node *node);
  uint64_t inplace_operator;
} Registration;

struct Context {
  size_t tensors_size;
  Status (*get_execution_plan)(Context *context, IntArray **plan);
  Tensor *tensors;
  void *impl;
  Status (*resize_tensor)(Context *context, Tensor *tensor, IntArray *size);
  void (*report_error)(Context *context, const char *format, ...);
  Status (*add_tensors)(Context *context, int count, int *first);
  Status (*get_node_and_registration)(Context *context, int index, Node **node,
                                      Registration **registration);
  Status (*replace_node_subsets)(Context *context, Registration registration,
                                 const IntArray *nodes, Delegate *delegate);
};

struct Delegate {
  void *data;
  Status (*prepare)(Context *context, Delegate *delegate);
  Status (*copy_from_buffer_handle)(Context *context, Delegate *delegate, int handle,
                                    Tensor *tensor);
  Status (*copy_to_buffer_handle)(Context *context, Delegate *delegate, int handle,
                                  Tensor *tensor);
  void (*free_buffer_handle)(Context *context, Delegate *delegate, int *handle);
  int64_t flags;
  void *opaque_delegate_builder;
};

/* What the runtime hands to the init of a delegate's kernel. */
typedef struct {
  Delegate *delegate;
  IntArray *nodes;
  IntArray *inputs;
  IntArray *outputs;
} DelegateParams;

#endif
