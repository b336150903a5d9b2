#include "runtime/executable.h"

namespace bpc::runtime {

std::atomic<bool> interrupt_requested{false};
std::atomic<int> MemoryMayRunOut::living{0};

}  // namespace bpc::runtime
