// A tape at run time.
#pragma once

#include <memory>
#include <vector>

#include "runtime/tensor.h"

namespace bpc::interpreter {

// Entries of one type, packed one after the other, so that a tape of scalars costs little more than its scalars; all of it counts as live
// bytes of tensors. A value like a Tensor: copying it is cheap, changing a copy is not.
class Tape {
 public:
  explicit Tape(Type entry);
  void push(const runtime::Tensor& value);
  runtime::Tensor pop();  // zeros when the tape is empty

 private:
  std::vector<runtime::Tensor>& chunks();  // to change them

  Type entry_;
  std::size_t bytes_;                                     // of an entry
  std::size_t per_chunk_;                                 // entries
  std::size_t size_ = 0;                                  // entries
  std::shared_ptr<std::vector<runtime::Tensor>> chunks_;  // as many as the entries need
};

}  // namespace bpc::interpreter
