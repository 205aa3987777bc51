#include "placement.h"

#include <algorithm>

namespace edgeinfer {

constexpr int32_t kMaxSide = 4096;
constexpr int64_t kMillion = 1000000;
constexpr int32_t kLeastRegionSide = 8;

namespace {

bool IsWhole(const edgeinfer_spec& spec) {
  return !(spec.region_x | spec.region_y | spec.region_width | spec.region_height);
}

bool IsInside(int64_t begin, int64_t length) {
  return begin >= 0 && length > 0 && begin + length <= kMillion;
}

// The pixel at which an edge is, rounded half up.
int32_t Edge(int64_t millionths, int64_t pixels) {
  return static_cast<int32_t>((2 * millionths * pixels + kMillion) / (2 * kMillion));
}

}  // namespace

bool IsValid(const edgeinfer_spec& spec) {
  return spec.width >= 1 && spec.width <= kMaxSide && spec.height >= 1 && spec.height <= kMaxSide &&
         spec.channels >= EDGEINFER_CHANNELS_RGB && spec.channels <= EDGEINFER_CHANNELS_RGBA &&
         spec.crop >= EDGEINFER_CROP_STRETCH && spec.crop <= EDGEINFER_CROP_LETTERBOX &&
         spec.resize >= EDGEINFER_RESIZE_AREA && spec.resize <= EDGEINFER_RESIZE_BILINEAR &&
         spec.pad_value >= 0 && spec.pad_value <= 255 && spec.layout >= EDGEINFER_LAYOUT_HWC &&
         spec.layout <= EDGEINFER_LAYOUT_CHW &&
         (IsWhole(spec) || (IsInside(spec.region_x, spec.region_width) &&
                            IsInside(spec.region_y, spec.region_height)));
}

bool Place(const edgeinfer_spec& spec, int32_t frame_width, int32_t frame_height,
           Placement* placed) {
  int32_t left = 0, top = 0;
  int64_t width = frame_width, height = frame_height;
  if (!IsWhole(spec)) {
    left = Edge(spec.region_x, frame_width);
    top = Edge(spec.region_y, frame_height);
    width = Edge(int64_t{spec.region_x} + spec.region_width, frame_width) - left;
    height = Edge(int64_t{spec.region_y} + spec.region_height, frame_height) - top;
    if (width < kLeastRegionSide || height < kLeastRegionSide) return false;
  }
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
  Placement& placement = *placed;
  placement.x = left + static_cast<int32_t>((width - take_width) / 2);
  placement.y = top + static_cast<int32_t>((height - take_height) / 2);
  placement.width = static_cast<int32_t>(take_width);
  placement.height = static_cast<int32_t>(take_height);
  placement.left = static_cast<int32_t>((out_width - fill_width) / 2);
  placement.top = static_cast<int32_t>((out_height - fill_height) / 2);
  placement.fill_width = static_cast<int32_t>(fill_width);
  placement.fill_height = static_cast<int32_t>(fill_height);
  return true;
}

}  // namespace edgeinfer
