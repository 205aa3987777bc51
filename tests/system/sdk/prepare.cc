// Prepares a frame from a file with each instruction set there is, and writes the tensors one after
// another:
//
//   prepare FORMAT WIDTH HEIGHT  IMAGE_WIDTH IMAGE_HEIGHT CHANNELS CROP RESIZE PAD LAYOUT
//           REGION_X REGION_Y REGION_WIDTH REGION_HEIGHT  DTYPE SCALE ZERO  FRAME TENSORS
//
// Enumerations are the header's numbers. The names of the instruction sets go to stdout.
#include <edgeinfer/preprocess.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>

static uint8_t pixels[1 << 20];
static char table[3 * 256 * 4], tensor[1 << 20];

int main(int argc, char** argv) {
  if (argc != 20) return 2;
  int32_t n[17];
  for (int i = 0; i < 17; ++i) n[i] = std::atoi(argv[i + 1]);
  std::FILE* input = std::fopen(argv[18], "rb");
  if (!input || !std::fread(pixels, 1, sizeof pixels, input) || !std::feof(input)) return 6;
  std::fclose(input);

  const edgeinfer_spec spec = {n[3], n[4], n[5], n[6], n[7], n[8], n[9],
                               n[10], n[11], n[12], n[13]};
  const int32_t channels = spec.channels == EDGEINFER_CHANNELS_GREY ? 1 : 3;
  const auto dtype = static_cast<edgeinfer_dtype>(n[14]);
  const int32_t element_bytes = dtype == EDGEINFER_FLOAT32 ? 4 : dtype == EDGEINFER_INT16 ? 2 : 1;
  const double mean[3] = {123.675, 116.28, 103.53}, deviation[3] = {58.395, 57.12, 57.375};
  if (edgeinfer_make_table(channels, mean, deviation, dtype, std::atof(argv[16]), n[16],
                           table) != EDGEINFER_OK) {
    return 3;
  }

  const int32_t format = n[0], width = n[1], height = n[2];
  const bool nv12 = format == EDGEINFER_FORMAT_NV12;
  const int32_t pixel_bytes =
      format == EDGEINFER_FORMAT_YUYV ? 2 : nv12 || format == EDGEINFER_FORMAT_GREY ? 1 : 3;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(width) * pixel_bytes;
  const edgeinfer_frame frame = {format, width, height, pixels, stride,
                                 nv12 ? pixels + stride * height : nullptr, nv12 ? stride : 0};

  const size_t tensor_bytes =
      static_cast<size_t>(spec.width) * spec.height * channels * element_bytes;
  std::FILE* output = std::fopen(argv[19], "wb");
  if (!output || tensor_bytes > sizeof tensor) return 6;
  for (const char* name : {"avx2", "neon", "portable"}) {
    if (edgeinfer_use_instruction_set(name) != EDGEINFER_OK) continue;
    edgeinfer_preprocessor* preprocessor = nullptr;
    if (edgeinfer_preprocessor_create(&spec, table, element_bytes, &preprocessor) !=
        EDGEINFER_OK) {
      return 4;
    }
    const edgeinfer_status status = edgeinfer_preprocessor_run(preprocessor, &frame, tensor);
    edgeinfer_preprocessor_destroy(preprocessor);
    if (status != EDGEINFER_OK) return 5;
    if (std::fwrite(tensor, 1, tensor_bytes, output) != tensor_bytes) return 6;
    std::printf("%s\n", name);
  }
  return std::fclose(output) ? 6 : 0;
}
