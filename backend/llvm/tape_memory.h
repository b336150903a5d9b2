// Memory of tapes at run time: chunks of entries, chained behind roots. A chunk is never moved, so that compiled code may hold addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "backend/plan/plan.h"

namespace bpc::backend {

// The entries begin behind it. A root has no room for any. Compiled code reads `previous` and `end`.
struct alignas(plan::kAlignment) TapeChunk {
  TapeChunk* previous = nullptr;  // nullptr: none, or a root
  TapeChunk* next = nullptr;
  std::byte* end = nullptr;  // of the room for entries

  std::byte* begin() { return reinterpret_cast<std::byte*>(this + 1); }
  bool is_root() { return begin() == end; }
};

// Where a tape stands (plan::Tape).
struct TapeState {
  TapeChunk* chunk;
  std::byte* top;
};

// Chunks behind the plan's roots are kept from one run to the next. All functions that allocate throw std::bad_alloc.
class TapeMemory {
 public:
  explicit TapeMemory(std::size_t roots);      // those that the plan names
  TapeChunk* roots() { return roots_.get(); }  // an array
  TapeChunk* new_root();
  // The bytes of a chunk, header included, to follow `chunk`; 0 when one follows already.
  static std::size_t bytes_to_follow(TapeChunk& chunk, std::size_t entry);
  // The chunk that follows, made when there is none.
  TapeChunk* follow(TapeChunk& chunk, std::size_t entry);
  std::size_t bytes() const { return bytes_; }
  // New roots, and what follows them, last for one run: the next may put entries of another size behind them.
  void begin_run() {
    if (!new_roots_.empty()) clear();
  }
  void clear();

 private:
  struct Free {
    void operator()(TapeChunk* chunk) const { ::operator delete(chunk, std::align_val_t{plan::kAlignment}); }
  };
  using Chunk = std::unique_ptr<TapeChunk, Free>;
  Chunk make(std::size_t bytes);

  std::unique_ptr<TapeChunk[]> roots_;
  std::size_t root_count_;
  std::vector<Chunk> new_roots_, chunks_;
  std::size_t bytes_ = 0;
};

// The same entries in chunks that follow `root`; `next` gives the chunk that follows another one, or nullptr to give up.
TapeState copy_tape(TapeState tape, TapeChunk& root, const std::function<TapeChunk*(TapeChunk&)>& next);

}  // namespace bpc::backend
