/* Takes memory away at each step in turn: every call says so, and goes on once there is some. */
#include <edgeinfer/preprocess.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int left = -1; /* how many more times there is memory; below 0 always */

/* The library calls this one. */
void *calloc(size_t count, size_t size) {
  void *memory;
  if (left == 0) return NULL;
  if (left > 0) --left;
  memory = malloc(count * size);
  return memory ? memset(memory, 0, count * size) : NULL;
}

static uint8_t pixels[40 * 30 * 2], table[3 * 256], expected[16 * 12 * 3], tensor[16 * 12 * 3];

int main(void) {
  const edgeinfer_spec spec = {16, 12, EDGEINFER_CHANNELS_RGB, EDGEINFER_CROP_CENTER,
                               EDGEINFER_RESIZE_AREA, 0, EDGEINFER_LAYOUT_HWC, 0, 0, 0, 0};
  const edgeinfer_frame frame = {EDGEINFER_FORMAT_YUYV, 40, 30, pixels, 80, NULL, 0};
  edgeinfer_preprocessor *preprocessor = NULL;
  int refused = 0, steps;
  size_t i;
  for (i = 0; i < sizeof pixels; ++i) pixels[i] = (uint8_t)(i * 7);
  for (i = 0; i < sizeof table; ++i) table[i] = (uint8_t)(255 - i);
  if (edgeinfer_preprocessor_create(&spec, table, 1, &preprocessor) != EDGEINFER_OK) return 1;
  if (edgeinfer_preprocessor_run(preprocessor, &frame, expected) != EDGEINFER_OK) return 1;
  edgeinfer_preprocessor_destroy(preprocessor);

  for (steps = 0; ; ++steps) {
    edgeinfer_status status;
    left = steps;
    status = edgeinfer_preprocessor_create(&spec, table, 1, &preprocessor);
    if (status == EDGEINFER_NO_MEMORY) {
      ++refused;
      continue;
    }
    if (status != EDGEINFER_OK) return 2;
    status = edgeinfer_preprocessor_run(preprocessor, &frame, tensor);
    left = -1;
    if (status == EDGEINFER_NO_MEMORY) {
      ++refused;
      if (edgeinfer_preprocessor_run(preprocessor, &frame, tensor) != EDGEINFER_OK) return 3;
    } else if (status != EDGEINFER_OK) {
      return 4;
    }
    if (memcmp(tensor, expected, sizeof tensor)) return 5;
    edgeinfer_preprocessor_destroy(preprocessor);
    if (status == EDGEINFER_OK) break;
  }
  printf("%d\n", refused);
  return 0;
}
