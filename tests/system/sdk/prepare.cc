// Prepares a frame from a file with each instruction set there is, and writes the tensors one after
// another:
//
//   prepare FORMAT WIDTH HEIGHT  IMAGE_WIDTH IMAGE_HEIGHT CHANNELS CROP RESIZE PAD  DTYPE SCALE ZERO
//           FRAME TENSORS
//
// Enumerations are the header's numbers. The names of the instruction sets go to stdout.
#include <edgeinfer/preprocess.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 15) return 2;
  int32_t n[12];
  for (int i = 0; i < 12; ++i) n[i] = std::atoi(argv[i + 1]);
  std::ifstream input(argv[13], std::ios::binary);
  const std::vector<char> pixels((std::istreambuf_iterator<char>(input)),
                                 std::istreambuf_iterator<char>());
  const auto* data = reinterpret_cast<const uint8_t*>(pixels.data());

  const edgeinfer_spec spec = {n[3], n[4], n[5], n[6], n[7], n[8]};
  const int32_t channels = spec.channels == EDGEINFER_CHANNELS_GREY ? 1 : 3;
  const auto dtype = static_cast<edgeinfer_dtype>(n[9]);
  const int32_t element_bytes = dtype == EDGEINFER_FLOAT32 ? 4 : dtype == EDGEINFER_INT16 ? 2 : 1;
  const double mean[3] = {123.675, 116.28, 103.53}, deviation[3] = {58.395, 57.12, 57.375};
  std::vector<char> table(static_cast<size_t>(channels) * 256 * element_bytes);
  if (edgeinfer_make_table(channels, mean, deviation, dtype, std::atof(argv[11]), n[11],
                           table.data()) != EDGEINFER_OK) {
    return 3;
  }

  const int32_t format = n[0], width = n[1], height = n[2];
  const bool nv12 = format == EDGEINFER_FORMAT_NV12;
  const int32_t pixel_bytes =
      format == EDGEINFER_FORMAT_YUYV ? 2 : nv12 || format == EDGEINFER_FORMAT_GREY ? 1 : 3;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(width) * pixel_bytes;
  const edgeinfer_frame frame = {format, width, height, data, stride,
                                 nv12 ? data + stride * height : nullptr, nv12 ? stride : 0};

  std::ofstream output(argv[14], std::ios::binary);
  for (const char* name : {"avx2", "neon", "portable"}) {
    if (edgeinfer_use_instruction_set(name) != EDGEINFER_OK) continue;
    edgeinfer_preprocessor* preprocessor = nullptr;
    if (edgeinfer_preprocessor_create(&spec, table.data(), element_bytes, &preprocessor) !=
        EDGEINFER_OK) {
      return 4;
    }
    std::vector<char> tensor(static_cast<size_t>(spec.width) * spec.height * channels *
                             element_bytes);
    const edgeinfer_status status =
        edgeinfer_preprocessor_run(preprocessor, &frame, tensor.data());
    edgeinfer_preprocessor_destroy(preprocessor);
    if (status != EDGEINFER_OK) return 5;
    output.write(tensor.data(), static_cast<std::streamsize>(tensor.size()));
    std::printf("%s\n", name);
  }
  return output.flush() ? 0 : 6;
}
