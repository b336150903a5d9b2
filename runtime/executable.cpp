#include "runtime/executable.h"

namespace bpc::runtime {

std::atomic<bool> interrupt_requested{false};

}  // namespace bpc::runtime
