// Machine code that was made before, in files.
#pragma once

#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

namespace bpc::backend {

// A file for each module, or piece of one, named after a digest of everything that decides what becomes of it: the module as it was
// emitted, the processor, the level, LLVM, and this code generator itself. Several commands may use the folder at once: files appear whole,
// and one that a crash has cut short does not have the checksum at its end. What fails here costs time, and is not reported.
class CodeCache {
 public:
  // In `folder`, which is made when the first is kept. Nothing is kept or found if that is empty, or somebody else's.
  explicit CodeCache(std::string folder) : folder_(std::move(folder)) {}

  std::string name(llvm::StringRef bitcode, const llvm::TargetMachine& machine) const;  // empty: it cannot be kept
  std::unique_ptr<llvm::MemoryBuffer> find(const std::string& name) const;              // nullptr: not there
  // And drops what was not used for long, where all of them together take too much.
  void keep(const std::string& name, llvm::StringRef object) const;

 private:
  std::string folder_;
};

}  // namespace bpc::backend
