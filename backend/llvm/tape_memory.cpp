#include "backend/llvm/tape_memory.h"

#include <algorithm>
#include <new>
#include <span>

namespace bpc::backend {

namespace {

// Chunks double in size between these, so that a short tape is small and a long one has little to spare.
constexpr std::size_t kSmallest = 1 << 10, kLargest = 1 << 20;

}  // namespace

TapeMemory::TapeMemory(std::size_t roots) : roots_(std::make_unique<TapeChunk[]>(roots)), root_count_(roots) {
  clear();
}

void TapeMemory::clear() {
  for (std::size_t i = 0; i < root_count_; ++i) roots_[i] = {nullptr, nullptr, roots_[i].begin()};
  new_roots_.clear();
  chunks_.clear();
  bytes_ = 0;
}

TapeMemory::Chunk TapeMemory::make(std::size_t bytes) {
  Chunk chunk(new (::operator new(bytes, std::align_val_t{plan::kAlignment})) TapeChunk);
  chunk->end = reinterpret_cast<std::byte*>(chunk.get()) + bytes;
  bytes_ += bytes;
  return chunk;
}

TapeChunk* TapeMemory::new_root() {
  new_roots_.push_back(make(sizeof(TapeChunk)));
  return new_roots_.back().get();
}

std::size_t TapeMemory::bytes_to_follow(TapeChunk& chunk, std::size_t entry) {
  if (chunk.next) return 0;
  std::size_t room = std::clamp(2 * static_cast<std::size_t>(chunk.end - chunk.begin()), kSmallest, kLargest);
  return sizeof(TapeChunk) + std::max(entry, room / entry * entry);
}

TapeChunk* TapeMemory::follow(TapeChunk& chunk, std::size_t entry) {
  if (chunk.next) return chunk.next;
  chunks_.push_back(make(bytes_to_follow(chunk, entry)));
  TapeChunk* next = chunks_.back().get();
  next->previous = chunk.is_root() ? nullptr : &chunk;
  return chunk.next = next;
}

TapeState copy_tape(TapeState tape, TapeChunk& root, const std::function<TapeChunk*(TapeChunk&)>& next) {
  std::vector<std::span<const std::byte>> parts;  // of the tape, the top first
  for (; tape.chunk; tape = {tape.chunk->previous, tape.chunk->previous ? tape.chunk->previous->end : nullptr})
    parts.emplace_back(tape.chunk->begin(), tape.top);
  TapeState result{&root, root.begin()};
  for (std::size_t i = parts.size(); i-- > 0;) {
    for (std::span<const std::byte> part = parts[i]; !part.empty();) {
      if (result.top == result.chunk->end) {
        result.chunk = next(*result.chunk);
        if (!result.chunk) return result;
        result.top = result.chunk->begin();
      }
      auto count = std::min(part.size(), static_cast<std::size_t>(result.chunk->end - result.top));
      result.top = std::copy_n(part.begin(), count, result.top);
      part = part.subspan(count);
    }
  }
  return result;
}

}  // namespace bpc::backend
