# Builds for 64-bit ARM boards with Debian's cross compiler (package g++-aarch64-linux-gnu). What it
# makes needs at least the glibc of the Debian that the compiler came from: 2.36 for Debian 12.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
