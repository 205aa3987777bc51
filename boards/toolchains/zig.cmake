# What the toolchain files next to this one share: zig's C and C++ compiler, which carries the headers
# and libraries of every target, so that nothing of the target has to be installed. The extra
# `wheels` brings it (package ziglang, whose program is python-zig).
#
# The file that includes this one sets
#   EDGEINFER_TARGET  zig's target triple; its last part is the oldest glibc that will do
#   EDGEINFER_CPU     the least processor that what is built must run on
find_program(EDGEINFER_ZIG NAMES python-zig zig REQUIRED
  DOC "zig; pip install 'edgeinfer[wheels]' brings it as python-zig")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${EDGEINFER_ZIG} cc)
set(CMAKE_CXX_COMPILER ${EDGEINFER_ZIG} c++)
set(CMAKE_C_COMPILER_TARGET ${EDGEINFER_TARGET})
set(CMAKE_CXX_COMPILER_TARGET ${EDGEINFER_TARGET})
set(CMAKE_C_FLAGS_INIT -mcpu=${EDGEINFER_CPU})
set(CMAKE_CXX_FLAGS_INIT -mcpu=${EDGEINFER_CPU})
# What zig links in comes with debugging information.
set(CMAKE_SHARED_LINKER_FLAGS_INIT -Wl,-s)
set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,-s)
# Headers and packages of the machine that builds are not the target's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
