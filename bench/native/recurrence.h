// s = f(a*s + b), 100,000 times, and its derivatives by a and b: forward, keeping each argument of f, then backward.
#pragma once

#include "measure.h"

template <class F, class Derivative>
int measure_recurrence(const F& f, const Derivative& derivative) {
  constexpr int turns = 100000;
  double a = 0.999, b = 0.001, s = 0, da = 0, db = 0;
  static double state[turns], argument[turns];
  const double value = bench::seconds([&] {
    bench::touch(a);
    bench::touch(b);
    s = 0.5;
    for (int i = 0; i < turns; ++i) s = f(a * s + b);
    bench::touch(s);
  });
  const double gradient = bench::seconds([&] {
    bench::touch(a);
    bench::touch(b);
    s = 0.5;
    for (int i = 0; i < turns; ++i) {
      state[i] = s;
      argument[i] = a * s + b;
      s = f(argument[i]);
    }
    double ds = 1;
    da = db = 0;
    for (int i = turns; i-- > 0;) {
      const double dz = ds * derivative(argument[i]);
      da += dz * state[i];
      db += dz;
      ds = dz * a;
    }
    bench::touch(s);
    bench::touch(da);
    bench::touch(db);
  });
  std::printf("{\"times\": {\"value\": %.9g, \"gradient\": %.9g}, \"results\": {\"J\": %.17g, \"a\": %.17g, \"b\": %.17g}}\n", value,
              gradient, s, da, db);
  return 0;
}
