// A dense, row-major tensor in memory: what the interpreter computes with, what callers bind and get back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/storage.h"
#include "support/type.h"

namespace bpc::runtime {

// A shared, 64-byte aligned buffer with value semantics: copying a Tensor is cheap, writing through data<T>() to a shared buffer copies
// it first.
class Tensor {
 public:
  static constexpr std::size_t kAlignment = kStorageAlignment;

  Tensor() = default;  // no type, no data
  // Uninitialised; InternalError past what the machine can address.
  explicit Tensor(Type type, Place place = Place::memory);
  static Tensor zeros(Type type);
  // Reads what others own, which must live as long as the result and its copies; writing to one of these makes a copy first.
  static Tensor borrow(Type type, const void* data);
  // The same, and keeps the owner alive.
  static Tensor borrow(Type type, std::shared_ptr<const std::byte[]> data);
  static Tensor scalar(Element element, double value);                  // converted to the element type
  static Tensor from_reals(Type type, std::span<const double> values);  // row by row
  static Tensor from_ints(Type type, std::span<const std::int64_t> values);

  const Type& type() const { return type_; }
  void set_type(Type type);  // another shape or other dim names with the same element type and count
  std::int64_t count() const { return count_; }
  std::size_t bytes() const;

  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(buffer_.get());
  }
  template <class T>
  T* data() {
    detach();
    return reinterpret_cast<T*>(buffer_.get());
  }
  const std::byte* raw() const { return buffer_.get(); }
  std::byte* raw() {
    detach();
    return buffer_.get();
  }

  // Element i (row-major) as a double or integer, whatever the element type.
  double real_at(std::int64_t i) const;
  std::int64_t int_at(std::int64_t i) const;
  void set_real(std::int64_t i, double value);

  // The same elements converted (to an integer truncates, saturating; NaN gives 0).
  Tensor as(Element element, Place place = Place::memory) const;

  // Bytes of memory held by all live tensors, and the highest since the last reset (for --max-memory and reports).
  static std::size_t live_bytes();
  static std::size_t peak_bytes();
  static void reset_peak();

 private:
  void detach();
  Type type_;
  std::int64_t count_ = 0;
  bool is_borrowed_ = false;
  std::shared_ptr<std::byte[]> buffer_;
};

}  // namespace bpc::runtime
