// What region and crop policy make of frames of one size; preprocess/placement.py is the same.
#ifndef EDGEINFER_NATIVE_PLACEMENT_H_
#define EDGEINFER_NATIVE_PLACEMENT_H_

#include <cstdint>

#include "edgeinfer/preprocess.h"

namespace edgeinfer {

// The part of the frame that is taken, and the part of the model's image that it fills.
struct Placement {
  int32_t x, y, width, height;
  int32_t left, top, fill_width, fill_height;
};

bool IsValid(const edgeinfer_spec& spec);
// False where frames of this size are too small for the region.
bool Place(const edgeinfer_spec& spec, int32_t frame_width, int32_t frame_height,
           Placement* placed);

}  // namespace edgeinfer
#endif
