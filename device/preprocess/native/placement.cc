#include "placement.h"

#include <algorithm>

namespace edgeinfer {

constexpr int32_t kMaxSide = 4096;

bool IsValid(const edgeinfer_spec& spec) {
  return spec.width >= 1 && spec.width <= kMaxSide && spec.height >= 1 && spec.height <= kMaxSide &&
         spec.channels >= EDGEINFER_CHANNELS_RGB && spec.channels <= EDGEINFER_CHANNELS_RGBA &&
         spec.crop >= EDGEINFER_CROP_STRETCH && spec.crop <= EDGEINFER_CROP_LETTERBOX &&
         spec.resize >= EDGEINFER_RESIZE_AREA && spec.resize <= EDGEINFER_RESIZE_BILINEAR &&
         spec.pad_value >= 0 && spec.pad_value <= 255 && spec.layout >= EDGEINFER_LAYOUT_HWC &&
         spec.layout <= EDGEINFER_LAYOUT_CHW;
}

Placement Place(const edgeinfer_spec& spec, int32_t frame_width, int32_t frame_height) {
  const int64_t width = frame_width, height = frame_height;
  const int64_t out_width = spec.width, out_height = spec.height;
  const bool wider = width * out_height > height * out_width;
  int64_t take_width = width, take_height = height;
  int64_t fill_width = out_width, fill_height = out_height;
  if (spec.crop == EDGEINFER_CROP_CENTER) {
    if (wider) {
      take_width = std::max<int64_t>(1, height * out_width / out_height);
    } else {
      take_height = std::max<int64_t>(1, width * out_height / out_width);
    }
  } else if (spec.crop == EDGEINFER_CROP_LETTERBOX) {
    if (wider) {
      fill_height = std::max<int64_t>(1, (2 * height * out_width + width) / (2 * width));
    } else {
      fill_width = std::max<int64_t>(1, (2 * width * out_height + height) / (2 * height));
    }
  }
  Placement placement;
  placement.x = static_cast<int32_t>((width - take_width) / 2);
  placement.y = static_cast<int32_t>((height - take_height) / 2);
  placement.width = static_cast<int32_t>(take_width);
  placement.height = static_cast<int32_t>(take_height);
  placement.left = static_cast<int32_t>((out_width - fill_width) / 2);
  placement.top = static_cast<int32_t>((out_height - fill_height) / 2);
  placement.fill_width = static_cast<int32_t>(fill_width);
  placement.fill_height = static_cast<int32_t>(fill_height);
  return placement;
}

}  // namespace edgeinfer
