#include "backend/interpreter/tape.h"

#include <algorithm>
#include <cstring>

namespace bpc::interpreter {

namespace {

using runtime::Tensor;

constexpr std::size_t kChunkBytes = 4096;  // large entries have a chunk each

}  // namespace

Tape::Tape(Type entry)
    : entry_(std::move(entry)),
      bytes_(static_cast<std::size_t>(entry_.count()) * element_size(entry_.element)),
      per_chunk_(std::max<std::size_t>(1, kChunkBytes / std::max<std::size_t>(1, bytes_))),
      chunks_(std::make_shared<std::vector<Tensor>>()) {}

std::vector<Tensor>& Tape::chunks() {
  if (chunks_.use_count() > 1) chunks_ = std::make_shared<std::vector<Tensor>>(*chunks_);
  return *chunks_;
}

void Tape::push(const Tensor& value) {
  std::vector<Tensor>& chunks = this->chunks();
  if (size_ % per_chunk_ == 0) chunks.emplace_back(Type::of_sizes(entry_.element, {static_cast<std::int64_t>(per_chunk_), entry_.count()}));
  std::memcpy(chunks.back().raw() + size_++ % per_chunk_ * bytes_, value.raw(), bytes_);
}

Tensor Tape::pop() {
  if (size_ == 0) return Tensor::zeros(entry_);
  std::vector<Tensor>& chunks = this->chunks();
  Tensor top(entry_);
  std::memcpy(top.raw(), std::as_const(chunks.back()).raw() + --size_ % per_chunk_ * bytes_, bytes_);
  if (size_ % per_chunk_ == 0) chunks.pop_back();
  return top;
}

}  // namespace bpc::interpreter
