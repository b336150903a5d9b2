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

constexpr std::align_val_t kAlignment{Tensor::kAlignment};

std::atomic<std::size_t> live{0}, peak{0};

std::shared_ptr<std::byte[]> allocate(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kAlignment));
  const std::size_t now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  for (std::size_t seen = peak.load(std::memory_order_relaxed); seen < now && !peak.compare_exchange_weak(seen, now);) {
  }
  return {memory, [bytes](std::byte* held) {
            live.fetch_sub(bytes, std::memory_order_relaxed);
            ::operator delete(held, kAlignment);
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

Tensor::Tensor(Type type) : type_(std::move(type)), count_(checked_count(type_)), buffer_(allocate(bytes())) {}

Tensor Tensor::zeros(Type type) {
  Tensor result(std::move(type));
  std::memset(result.raw(), 0, result.bytes());
  return result;
}

Tensor Tensor::borrow(Type type, const void* data) {
  static const auto owner = std::make_shared<int>();  // which makes the buffer a shared one
  Tensor result;
  result.type_ = std::move(type);
  result.count_ = checked_count(result.type_);
  result.buffer_ = std::shared_ptr<std::byte[]>(owner, static_cast<std::byte*>(const_cast<void*>(data)));
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

Tensor Tensor::as(Element element) const {
  if (element == type_.element) return *this;
  Tensor result(type_.with_element(element));
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
  if (buffer_.use_count() <= 1) return;
  auto copy = allocate(bytes());
  std::memcpy(copy.get(), buffer_.get(), bytes());
  buffer_ = std::move(copy);
}

}  // namespace bpc::runtime
