// Memory without the C++ library: none has to be on the board, and none is linked in.
#ifndef EDGEINFER_NATIVE_BUFFER_H_
#define EDGEINFER_NATIVE_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <type_traits>

namespace edgeinfer {

// A row of numbers or pointers whose length is set at run time.
template <typename T>
class Buffer {
  static_assert(std::is_trivial<T>::value, "elements are zeros, not constructed");

 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  // Replaces what is held by `count` zeros; false, and nothing is held, where memory runs out.
  bool Reset(size_t count) {
    std::free(data_);
    data_ = static_cast<T*>(std::calloc(count ? count : 1, sizeof(T)));
    size_ = data_ ? count : 0;
    return data_ != nullptr;
  }

  size_t size() const { return size_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace edgeinfer
#endif
