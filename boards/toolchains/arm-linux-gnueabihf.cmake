# 32-bit ARM boards with an ARMv7-A processor: what Debian's armhf asks for, so hardware floating
# point with 16 registers but no NEON and no division instruction (a Cortex-A8 has none). zig's own
# baseline for this target has NEON; only rows_neon.cc may use it, after asking the processor.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(EDGEINFER_TARGET arm-linux-gnueabihf.2.28)
set(EDGEINFER_CPU generic+v7a+vfp3d16-neon)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
