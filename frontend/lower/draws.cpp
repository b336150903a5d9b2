#include "frontend/lower/draws.h"

#include <fmt/format.h>

#include "frontend/lower/convert.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Opcode;
using ir::ValueId;

// FNV-1a, 64 bits (Fowler, Noll, Vo), without the sign bit.
std::int64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3u;
  return static_cast<std::int64_t>(hash & 0x7fffffffffffffffu);
}

// Steele, Vigna, "Computationally easy, spectrally good multipliers for congruential pseudorandom number generators" (2021), 64 bits.
constexpr std::uint64_t kMultiplier = 0xd1342543de82ef95u;

}  // namespace

std::int64_t next_stream(Context& c) {
  const Frame& frame = *c.frame;
  std::string name = c.initialiser ? c.initialiser->path : fmt::format("draw {}.{}", frame.path, frame.binding);
  int draw = ++c.draws[name];
  return stable_hash(draw == 1 ? name : fmt::format("{}#{}", name, draw));
}

const std::vector<ValueId>& counter_of(Context& c, Counter& counter) {
  if (counter.values.empty() && counter.block.valid())
    counter.values.push_back(c.function().add_argument(counter.block, Type(Element::i64), "turn"));
  return counter.values;
}

std::optional<Item> turn_here(Context& c, Span span) {
  std::vector<ValueId> counters;
  for (Counter& counter : c.counters) {
    const std::vector<ValueId>& values = counter_of(c, counter);
    counters.insert(counters.end(), values.begin(), values.end());
  }
  if (counters.empty()) return std::nullopt;
  if (counters.size() == 1) return Item{counters[0], span};
  c.set_origin(span);
  ir::Builder& builder = *c.builder;
  ValueId turn = builder.cast(counters[0], Element::i64);
  for (std::size_t i = 1; i < counters.size(); ++i) {
    ValueId scaled = builder.emit(Opcode::mul, {turn, builder.integer(static_cast<std::int64_t>(kMultiplier), Element::i64)});
    turn = builder.emit(Opcode::add, {scaled, builder.cast(counters[i], Element::i64)});
  }
  return Item{turn, span};
}

}  // namespace bpc::frontend::lowering
