#include "runtime/tensor.h"

#include <atomic>
#include <cstring>
#include <limits>
#include <new>

#include "scalar/functions.h"
#include "support/element.h"
#include "support/internal_error.h"

namespace bpc::runtime {

namespace {

std::atomic<std::size_t> live{0}, peak{0};

std::shared_ptr<std::byte[]> buffer_of(std::size_t bytes, Place place) {
  auto* memory = static_cast<std::byte*>(allocate(bytes, place));
  const std::size_t counted = place == Place::memory ? bytes : 0;
  const std::size_t now = live.fetch_add(counted, std::memory_order_relaxed) + counted;
  for (std::size_t seen = peak.load(std::memory_order_relaxed); seen < now && !peak.compare_exchange_weak(seen, now);) {
  }
  return {memory, [bytes, counted, place](std::byte* held) {
            live.fetch_sub(counted, std::memory_order_relaxed);
            release(held, bytes, place);
          }};
}

std::int64_t checked_count(const Type& type) {
  std::int64_t bytes = static_cast<std::int64_t>(element_size(type.element));
  for (const Dim& dim : type.dims)
    if (dim.size == 0) return 0;
  for (const Dim& dim : type.dims)
    if (dim.size < 0 || __builtin_mul_overflow(bytes, dim.size, &bytes))
      throw InternalError("tensor", "no memory holds a " + type_text(type));
  return type.count();
}

}  // namespace

Tensor::Tensor(Type type, Place place) : type_(std::move(type)), count_(checked_count(type_)), buffer_(buffer_of(bytes(), place)) {}

Tensor Tensor::zeros(Type type) {
  Tensor result(std::move(type));
  std::memset(result.raw(), 0, result.bytes());
  return result;
}

Tensor Tensor::borrow(Type type, const void* data) {
  return borrow(std::move(type), std::shared_ptr<const std::byte[]>(std::shared_ptr<void>(), static_cast<const std::byte*>(data)));
}

Tensor Tensor::borrow(Type type, std::shared_ptr<const std::byte[]> data) {
  Tensor result;
  result.type_ = std::move(type);
  result.count_ = checked_count(result.type_);
  result.buffer_ = std::const_pointer_cast<std::byte[]>(std::move(data));
  result.is_borrowed_ = true;
  return result;
}

Tensor Tensor::scalar(Element element, double value) {
  Tensor result{Type(element)};
  result.set_real(0, value);
  return result;
}

Tensor Tensor::from_reals(Type type, std::span<const double> values) {
  Tensor result(std::move(type));
  if (static_cast<std::int64_t>(values.size()) != result.count()) throw InternalError("tensor", "from_reals: wrong number of values");
  with_element(result.type().element, [&]<class T>(T) {
    T* out = result.data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = scalar::cast<T>(values[i]);
  });
  return result;
}

Tensor Tensor::from_ints(Type type, std::span<const std::int64_t> values) {
  Tensor result(std::move(type));
  if (static_cast<std::int64_t>(values.size()) != result.count()) throw InternalError("tensor", "from_ints: wrong number of values");
  with_element(result.type().element, [&]<class T>(T) {
    T* out = result.data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = scalar::cast<T>(values[i]);
  });
  return result;
}

void Tensor::set_type(Type type) {
  if (type.element != type_.element || type.count() != count_)
    throw InternalError("tensor", "set_type: " + type_text(type) + " for a " + type_text(type_));
  type_ = std::move(type);
}

std::size_t Tensor::bytes() const {
  return static_cast<std::size_t>(count_) * element_size(type_.element);
}

double Tensor::real_at(std::int64_t i) const {
  return with_element(type_.element, [&]<class T>(T) { return static_cast<double>(data<T>()[i]); });
}

std::int64_t Tensor::int_at(std::int64_t i) const {
  return with_element(type_.element, [&]<class T>(T) { return scalar::cast<std::int64_t>(data<T>()[i]); });
}

void Tensor::set_real(std::int64_t i, double value) {
  with_element(type_.element, [&]<class T>(T) { data<T>()[i] = scalar::cast<T>(value); });
}

Tensor Tensor::as(Element element, Place place) const {
  if (element == type_.element) return *this;
  Tensor result(type_.with_element(element), place);
  with_element(type_.element, [&]<class From>(From) {
    with_element(element, [&]<class To>(To) {
      const From* in = data<From>();
      To* out = result.data<To>();
      for (std::int64_t i = 0; i < count_; ++i) out[i] = scalar::cast<To>(in[i]);
    });
  });
  return result;
}

std::size_t Tensor::live_bytes() {
  return live.load(std::memory_order_relaxed);
}
std::size_t Tensor::peak_bytes() {
  return peak.load(std::memory_order_relaxed);
}
void Tensor::reset_peak() {
  peak.store(live_bytes(), std::memory_order_relaxed);
}

void Tensor::detach() {
  if (buffer_.use_count() <= 1 && !is_borrowed_) return;
  auto copy = buffer_of(bytes(), Place::memory);
  std::memcpy(copy.get(), buffer_.get(), bytes());
  buffer_ = std::move(copy);
  is_borrowed_ = false;
}

}  // namespace bpc::runtime
