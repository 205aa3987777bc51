// The pass from a frame to a tensor, row by row: colour conversion, resampling, channel order, table.

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>

#include "axis.h"
#include "buffer.h"
#include "edgeinfer/preprocess.h"
#include "placement.h"
#include "rows.h"

namespace edgeinfer {
namespace {

constexpr int32_t kMaxFrameSide = 1 << 15;
constexpr int32_t kValues = 256;

const RowKernels* BestRows() {
  if (const RowKernels* rows = Avx2Rows()) return rows;
  if (const RowKernels* rows = NeonRows()) return rows;
  return &kPortableRows;
}

std::atomic<const RowKernels*> chosen_rows{nullptr};

const RowKernels* Rows() {
  const RowKernels* rows = chosen_rows.load();
  return rows ? rows : BestRows();
}

bool IsValidFrame(const edgeinfer_frame& frame) {
  if (!frame.data || frame.width < 1 || frame.width > kMaxFrameSide || frame.height < 1 ||
      frame.height > kMaxFrameSide) {
    return false;
  }
  const bool even_width = frame.width % 2 == 0, even_height = frame.height % 2 == 0;
  switch (frame.format) {
    case EDGEINFER_FORMAT_RGB:
    case EDGEINFER_FORMAT_BGR:
      return frame.stride >= 3 * static_cast<ptrdiff_t>(frame.width);
    case EDGEINFER_FORMAT_GREY:
      return frame.stride >= frame.width;
    case EDGEINFER_FORMAT_YUYV:
      return even_width && frame.stride >= 2 * static_cast<ptrdiff_t>(frame.width);
    case EDGEINFER_FORMAT_NV12:
      return even_width && even_height && frame.chroma && frame.stride >= frame.width &&
             frame.chroma_stride >= frame.width;
    default:
      return false;
  }
}

// Puts a row's pixels, already in the tensor's order of channels, through the table; the fourth of
// four channels is 255.
template <typename T>
void LookUp(const uint8_t* pixels, int32_t count, int32_t depth, const void* table, void* tensor) {
  const T* first = static_cast<const T*>(table);
  T* result = static_cast<T*>(tensor);
  if (depth == 1) {
    for (int32_t i = 0; i < count; ++i) result[i] = first[pixels[i]];
    return;
  }
  const T *second = first + kValues, *third = second + kValues;
  if (depth == 4) {
    const T opaque = third[2 * kValues - 1];
    for (int32_t i = 0; i < count; ++i, pixels += 3, result += 4) {
      result[0] = first[pixels[0]];
      result[1] = second[pixels[1]];
      result[2] = third[pixels[2]];
      result[3] = opaque;
    }
    return;
  }
  for (int32_t i = 0; i < count; ++i, pixels += 3, result += 3) {
    result[0] = first[pixels[0]];
    result[1] = second[pixels[1]];
    result[2] = third[pixels[2]];
  }
}

// The same for three or four channels in planes, `plane` elements apart.
template <typename T>
void LookUpPlanes(const uint8_t* pixels, int32_t count, int32_t depth, size_t plane,
                  const void* table, void* tensor) {
  const T* values = static_cast<const T*>(table);
  T* result = static_cast<T*>(tensor);
  for (int32_t c = 0; c < 3; ++c, ++pixels, values += kValues, result += plane) {
    for (int32_t i = 0; i < count; ++i) result[i] = values[pixels[3 * i]];
  }
  for (int32_t i = 0; depth == 4 && i < count; ++i) result[i] = values[kValues - 1];
}

}  // namespace
}  // namespace edgeinfer

using edgeinfer::Axis;
using edgeinfer::Buffer;
using edgeinfer::Placement;
using edgeinfer::RowKernels;

struct edgeinfer_preprocessor {
  edgeinfer_spec spec;
  Buffer<uint8_t> table;
  int32_t element_bytes;
  const RowKernels* kernels;
  bool table_is_flip;    // every entry is its pixel value with the bits of `flip` inverted
  uint8_t flip = 0;

  // What follows belongs to frames of one size and format.
  int32_t frame_width = 0, frame_height = 0, frame_format = -1;
  Placement placement;
  Axis rows, columns;
  Buffer<const uint8_t*> row_pointers;
  Buffer<int16_t> tall;       // one row after the vertical pass
  Buffer<uint8_t> picture;    // one row of the output, before the table
  Buffer<uint8_t> converted;  // a ring of rows converted to RGB
  Buffer<int32_t> converted_row;
  size_t converted_stride = 0;

  int32_t depth() const {
    return spec.channels == EDGEINFER_CHANNELS_GREY ? 1
           : spec.channels == EDGEINFER_CHANNELS_RGBA ? 4
                                                      : 3;
  }
  bool is_yuv() const {
    return frame_format == EDGEINFER_FORMAT_YUYV || frame_format == EDGEINFER_FORMAT_NV12;
  }
  bool in_planes() const { return spec.layout == EDGEINFER_LAYOUT_CHW && depth() > 1; }
  int32_t pixel_bytes() const { return in_planes() ? element_bytes : depth() * element_bytes; }
  int32_t source_depth() const { return frame_format == EDGEINFER_FORMAT_GREY ? 1 : 3; }
  edgeinfer_status Prepare(const edgeinfer_frame& frame);
  void Run(const edgeinfer_frame& frame, uint8_t* tensor);

 private:
  const uint8_t* SourceRow(const edgeinfer_frame& frame, int32_t y);
  const uint8_t* PictureRow(const edgeinfer_frame& frame, int32_t y);
  void Write(const uint8_t* pixels, int32_t count, uint8_t* tensor) const;
  void WritePlanes(const uint8_t* pixels, int32_t count, uint8_t* tensor) const;
  void Pad(int32_t count, uint8_t* tensor) const;
};

// Gets ready for frames of this size and format.
edgeinfer_status edgeinfer_preprocessor::Prepare(const edgeinfer_frame& frame) {
  if (frame.width == frame_width && frame.height == frame_height && frame.format == frame_format) {
    return EDGEINFER_OK;
  }
  frame_format = -1;  // stays so if something fails below
  if (!edgeinfer::Place(spec, frame.width, frame.height, &placement)) {
    return EDGEINFER_BAD_ARGUMENT;
  }
  const bool area = spec.resize == EDGEINFER_RESIZE_AREA;
  if (!edgeinfer::MakeAxis(placement.height, placement.fill_height, area, &rows) ||
      !edgeinfer::MakeAxis(placement.width, placement.fill_width, area, &columns) ||
      !edgeinfer::DoubleWeights(&columns)) {
    return EDGEINFER_NO_MEMORY;
  }
  const size_t margin = edgeinfer::kRowMargin;
  converted_stride = (static_cast<size_t>(placement.width) + 2) * 3 + margin;
  const bool yuv = frame.format == EDGEINFER_FORMAT_YUYV || frame.format == EDGEINFER_FORMAT_NV12;
  if (!row_pointers.Reset(rows.taps) ||
      !tall.Reset((static_cast<size_t>(placement.width) + columns.taps) * 3 + margin) ||
      !picture.Reset(static_cast<size_t>(placement.fill_width) * 3 + margin) ||
      !converted.Reset(yuv ? converted_stride * rows.taps : 0) ||
      !converted_row.Reset(rows.taps)) {
    return EDGEINFER_NO_MEMORY;
  }
  frame_width = frame.width;
  frame_height = frame.height;
  frame_format = frame.format;
  return EDGEINFER_OK;
}

// Row y of the part that is taken, as interleaved pixels of 8 bits.
const uint8_t* edgeinfer_preprocessor::SourceRow(const edgeinfer_frame& frame, int32_t y) {
  const ptrdiff_t row = placement.y + y, x = placement.x;
  const uint8_t* source = frame.data + row * frame.stride;
  if (!is_yuv()) return source + x * source_depth();
  const size_t slot = static_cast<size_t>(y) % converted_row.size();
  uint8_t* rgb = converted.data() + slot * converted_stride;
  const ptrdiff_t begin = x & ~1;  // two pixels share their chroma
  if (converted_row[slot] != y) {
    const int32_t count = static_cast<int32_t>((x + placement.width + 1) / 2 * 2 - begin);
    if (frame.format == EDGEINFER_FORMAT_YUYV) {
      kernels->yuyv_to_rgb(source + 2 * begin, count, rgb);
    } else {
      kernels->nv12_to_rgb(source + begin, frame.chroma + row / 2 * frame.chroma_stride + begin,
                           count, rgb);
    }
    converted_row[slot] = y;
  }
  return rgb + (x - begin) * 3;
}

// Row y of the resized picture: source_depth() channels, in the tensor's order where they are 3.
const uint8_t* edgeinfer_preprocessor::PictureRow(const edgeinfer_frame& frame, int32_t y) {
  const bool source_bgr = frame.format == EDGEINFER_FORMAT_BGR;
  const bool wants_bgr = spec.channels == EDGEINFER_CHANNELS_BGR;
  const bool reverse = source_depth() == 3 && source_bgr != wants_bgr;
  if (rows.identity && columns.identity && !reverse) return SourceRow(frame, y);
  const int16_t* weights = rows.weights.data() + static_cast<ptrdiff_t>(y) * rows.taps;
  const int32_t start = rows.start[y], used = rows.used[y];
  for (int32_t k = 0; k < used; ++k) row_pointers[k] = SourceRow(frame, start + k);
  // A spare weight makes the count even: any row will do.
  if (used % 2) row_pointers[used] = row_pointers[0];
  const int32_t depth = source_depth();
  kernels->combine_rows(row_pointers.data(), weights, used + used % 2, placement.width * depth,
                        tall.data());
  kernels->combine_columns(tall.data(), depth, reverse,
                           {columns.output_size, columns.taps, columns.start.data(),
                            columns.weights.data(), columns.doubled.data()},
                           picture.data());
  return picture.data();
}

void edgeinfer_preprocessor::Write(const uint8_t* pixels, int32_t count, uint8_t* tensor) const {
  if (in_planes()) {
    WritePlanes(pixels, count, tensor);
  } else if (table_is_flip) {
    // Constants in locals: a compiler must think that `tensor` could overwrite members.
    const int32_t bytes = count * depth();
    const uint8_t mask = flip;
    for (int32_t i = 0; i < bytes; ++i) tensor[i] = pixels[i] ^ mask;
  } else if (element_bytes == 1) {
    edgeinfer::LookUp<uint8_t>(pixels, count, depth(), table.data(), tensor);
  } else if (element_bytes == 2) {
    edgeinfer::LookUp<uint16_t>(pixels, count, depth(), table.data(), tensor);
  } else {
    edgeinfer::LookUp<uint32_t>(pixels, count, depth(), table.data(), tensor);
  }
}

void edgeinfer_preprocessor::WritePlanes(const uint8_t* pixels, int32_t count,
                                         uint8_t* tensor) const {
  const size_t plane = static_cast<size_t>(spec.width) * spec.height;
  if (table_is_flip) {
    const uint8_t mask = flip;
    uint8_t *second = tensor + plane, *third = second + plane;
    for (int32_t i = 0; i < count; ++i, pixels += 3) {
      tensor[i] = pixels[0] ^ mask;
      second[i] = pixels[1] ^ mask;
      third[i] = pixels[2] ^ mask;
    }
  } else if (element_bytes == 1) {
    edgeinfer::LookUpPlanes<uint8_t>(pixels, count, depth(), plane, table.data(), tensor);
  } else if (element_bytes == 2) {
    edgeinfer::LookUpPlanes<uint16_t>(pixels, count, depth(), plane, table.data(), tensor);
  } else {
    edgeinfer::LookUpPlanes<uint32_t>(pixels, count, depth(), plane, table.data(), tensor);
  }
}

void edgeinfer_preprocessor::Pad(int32_t count, uint8_t* tensor) const {
  const uint8_t border[3] = {static_cast<uint8_t>(spec.pad_value),
                             static_cast<uint8_t>(spec.pad_value),
                             static_cast<uint8_t>(spec.pad_value)};
  for (int32_t i = 0; i < count; ++i) Write(border, 1, tensor + i * pixel_bytes());
}

namespace {

void ToGrey(const uint8_t* pixels, int32_t count, uint8_t* grey) {
  for (int32_t i = 0; i < count; ++i, pixels += 3) {
    grey[i] = static_cast<uint8_t>((77 * pixels[0] + 150 * pixels[1] + 29 * pixels[2] + 128) >> 8);
  }
}

void Repeat(const uint8_t* grey, int32_t count, uint8_t* pixels) {
  // From the end, so that a row may be widened in place.
  for (int32_t i = count - 1; i >= 0; --i) {
    pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = grey[i];
  }
}

}  // namespace

void edgeinfer_preprocessor::Run(const edgeinfer_frame& frame, uint8_t* tensor) {
  for (int32_t& row : converted_row) row = -1;
  const ptrdiff_t step = pixel_bytes();
  const int32_t right = spec.width - placement.left - placement.fill_width;
  for (int32_t y = 0; y < spec.height; ++y, tensor += spec.width * step) {
    const int32_t inside = y - placement.top;
    if (inside < 0 || inside >= placement.fill_height) {
      Pad(spec.width, tensor);
      continue;
    }
    const uint8_t* pixels = PictureRow(frame, inside);
    if (source_depth() == 3 && depth() == 1) {
      ToGrey(pixels, placement.fill_width, picture.data());
      pixels = picture.data();
    } else if (source_depth() == 1 && depth() > 1) {
      Repeat(pixels, placement.fill_width, picture.data());
      pixels = picture.data();
    }
    Pad(placement.left, tensor);
    Write(pixels, placement.fill_width, tensor + placement.left * step);
    Pad(right, tensor + (placement.left + placement.fill_width) * step);
  }
}

extern "C" int32_t edgeinfer_preprocess_version(void) { return EDGEINFER_PREPROCESS_VERSION; }

extern "C" edgeinfer_status edgeinfer_preprocessor_create(const edgeinfer_spec* spec,
                                                          const void* table, int32_t element_bytes,
                                                          edgeinfer_preprocessor** created) {
  if (!spec || !table || !created || !edgeinfer::IsValid(*spec) ||
      (element_bytes != 1 && element_bytes != 2 && element_bytes != 4)) {
    return EDGEINFER_BAD_ARGUMENT;
  }
  void* memory = std::malloc(sizeof(edgeinfer_preprocessor));
  if (!memory) return EDGEINFER_NO_MEMORY;
  auto* preprocessor = new (memory) edgeinfer_preprocessor();
  preprocessor->spec = *spec;
  preprocessor->element_bytes = element_bytes;
  preprocessor->kernels = edgeinfer::Rows();
  const auto* bytes = static_cast<const uint8_t*>(table);
  const size_t entries = static_cast<size_t>(preprocessor->depth()) * edgeinfer::kValues;
  if (!preprocessor->table.Reset(entries * element_bytes)) {
    edgeinfer_preprocessor_destroy(preprocessor);
    return EDGEINFER_NO_MEMORY;
  }
  std::memcpy(preprocessor->table.data(), bytes, preprocessor->table.size());
  preprocessor->flip = bytes[0];
  preprocessor->table_is_flip = element_bytes == 1 && preprocessor->depth() != 4;
  for (size_t i = 0; i < entries && preprocessor->table_is_flip; ++i) {
    preprocessor->table_is_flip = bytes[i] == (static_cast<uint8_t>(i) ^ preprocessor->flip);
  }
  *created = preprocessor;
  return EDGEINFER_OK;
}

extern "C" edgeinfer_status edgeinfer_preprocessor_run(edgeinfer_preprocessor* preprocessor,
                                                       const edgeinfer_frame* frame,
                                                       void* tensor) {
  if (!preprocessor || !frame || !tensor || !edgeinfer::IsValidFrame(*frame)) {
    return EDGEINFER_BAD_ARGUMENT;
  }
  const edgeinfer_status status = preprocessor->Prepare(*frame);
  if (status == EDGEINFER_OK) preprocessor->Run(*frame, static_cast<uint8_t*>(tensor));
  return status;
}

extern "C" void edgeinfer_preprocessor_destroy(edgeinfer_preprocessor* preprocessor) {
  if (!preprocessor) return;
  preprocessor->~edgeinfer_preprocessor();
  std::free(preprocessor);
}

extern "C" edgeinfer_status edgeinfer_map(const edgeinfer_spec* spec, int32_t frame_width,
                                          int32_t frame_height, edgeinfer_mapping* mapping) {
  if (!spec || !mapping || !edgeinfer::IsValid(*spec) || frame_width < 1 || frame_height < 1) {
    return EDGEINFER_BAD_ARGUMENT;
  }
  Placement placement;
  if (!edgeinfer::Place(*spec, frame_width, frame_height, &placement)) {
    return EDGEINFER_BAD_ARGUMENT;
  }
  mapping->frame_x = placement.x;
  mapping->frame_y = placement.y;
  mapping->image_x = placement.left;
  mapping->image_y = placement.top;
  mapping->scale_x = static_cast<double>(placement.fill_width) / placement.width;
  mapping->scale_y = static_cast<double>(placement.fill_height) / placement.height;
  return EDGEINFER_OK;
}

extern "C" const char* edgeinfer_instruction_set(void) { return edgeinfer::Rows()->name; }

extern "C" edgeinfer_status edgeinfer_use_instruction_set(const char* name) {
  if (!name) return EDGEINFER_BAD_ARGUMENT;
  for (const RowKernels* rows :
       {edgeinfer::Avx2Rows(), edgeinfer::NeonRows(), &edgeinfer::kPortableRows}) {
    if (rows && std::strcmp(rows->name, name) == 0) {
      edgeinfer::chosen_rows.store(rows);
      return EDGEINFER_OK;
    }
  }
  return EDGEINFER_BAD_ARGUMENT;
}
