# 64-bit PCs, without anything newer than the first of them had; kernels for AVX2 are chosen at run
# time.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(EDGEINFER_TARGET x86_64-linux-gnu.2.28)
set(EDGEINFER_CPU x86_64)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
