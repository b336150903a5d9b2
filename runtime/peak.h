// What this machine can do at most, measured: what times of programs are set against.
#pragma once

namespace bpc::runtime {

// Of one thread, each per second.
struct Peak {
  double operations_f32 = 0, operations_f64 = 0;  // multiply-adds in registers, two operations each
  double bytes = 0;                               // read and written by a copy of more than caches hold
};
// Takes about a tenth of a second, the first time.
const Peak& peak();

}  // namespace bpc::runtime
