# 64-bit ARM boards. NEON belongs to the least of them.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(EDGEINFER_TARGET aarch64-linux-gnu.2.28)
set(EDGEINFER_CPU generic)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
