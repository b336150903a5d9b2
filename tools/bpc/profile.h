// What times mean beside what was computed and moved in them: rates, shares of what the machine can do, and what bounds a step.
#pragma once

#include <string>

#include "tools/bpc/measure.h"

namespace bpc::tool {

// Of the threads that are used, in operations on this element and bytes, each per second.
struct Limits {
  double operations = 0, bytes = 0;
};
Limits limits(Element element);

// The element that most of a program is computed in: f64 where its first result is of that, otherwise f32.
Element real_of(const ir::Function& main);

// "12.3 µs"; "3.2" for 3.2e9; "37 %" of what bounds it more. "-" where there is nothing to say.
std::string time_text(double seconds);
std::string rate_text(double amount, double seconds);
std::string share_text(const Limits& limits, double operations, double bytes, double seconds);

// A table of the steps, those that take most first; or one JSON object.
void print_profile(const Profile& profile, const Limits& limits, const SourceMap& sources, bool json);

}  // namespace bpc::tool
