#include "explain/recorder.h"

#include <fmt/format.h>

#include "backend/interpreter/evaluate.h"

namespace bpc::explain {

using interpreter::Stop;
using ir::Function;
using ir::Op;
using ir::OpId;
using ir::ValueId;
using runtime::Tensor;

namespace {

constexpr std::size_t kMostOps = 400'000;       // that a trace keeps
constexpr std::size_t kMostSwept = 20'000'000;  // values: some seconds

[[noreturn]] void refuse(const Function& source, const Op& at, std::string message, std::string help) {
  const ir::Origin& place = source.origin(at.origin);
  Diagnostic diagnostic{Severity::error, Code::E0412, place.calls.empty() ? place.span : place.calls.back(), std::move(message), {},
                        std::move(help), {}};
  throw Stop{{false, std::move(diagnostic)}};
}

}  // namespace

ValueId Recorder::flat(ValueId id) {
  Known& known = known_[id.index];
  if (known.where == trace_id_) return known.flat;
  Function& function = trace_->function;
  const std::string name = source_.value(id).name;
  const Type& type = source_.type(id);
  auto kind = ir::Parameter::Kind::input;
  ir::OriginId place;
  std::string path = fmt::format("{}#{}", name, function.parameters.size());
  for (const ir::Parameter& parameter : source_.parameters)
    if (parameter.value == id) kind = parameter.kind, path = parameter.path, place = parameter.origin;
  if (known.where != 0) shadowed_.push_back({id, known.flat, known.where, trace_id_});
  known.flat = function.add_parameter(kind, path, type);
  known.where = trace_id_;
  if (place.valid()) function.parameters.back().origin = function.add_origin(source_.origin(place));
  if (known.is_left) trace_->unkept.push_back(known.flat);
  note(known.flat, name, known.value);
  return known.flat;
}

Known Recorder::taken(ValueId id) {
  if (!source_.type(id).tape) flat(id);
  return known_[id.index];
}

void Recorder::note(ValueId id, const std::string& name, Tensor value) {
  trace_->values.resize(trace_->function.value_count());
  trace_->names.resize(trace_->function.value_count());
  trace_->values[id.index] = std::move(value);
  trace_->names[id.index] = name;
}

void Recorder::name(ValueId id) {
  const Known& known = known_[id.index];
  const std::string& name = source_.value(id).name;
  if (known.where == trace_id_ && trace_->names[known.flat.index].empty()) trace_->names[known.flat.index] = name;
}

ValueId Recorder::append(Op op, const Type& type, const Op& at) {
  Function& function = trace_->function;
  require_room(at);
  const OpId id = function.add_op(function.body(), std::move(op), {&type, 1});
  trace_->scope_of.resize(function.op_count());
  trace_->scope_of[id.index] = scope(source_.origin(at.origin));
  const ValueId result = function.op(id).results[0];
  function.value(result).name = source_.value(at.results.empty() ? ValueId{0} : at.results[0]).name;
  note(result, at.results.empty() ? std::string() : source_.value(at.results[0]).name, {});
  return result;
}

void Recorder::require_room(const Op& at) const {
  if (trace_->function.op_count() < kMostOps) return;
  refuse(source_, at, fmt::format("an explanation keeps every step of the run, and this one takes more than {}", kMostOps),
         "take fewer turns or a smaller size, as with `--set N=10`");
}

void Recorder::count_sweep(const Op& at) {
  swept_ += trace_->function.value_count();
  if (swept_ < kMostSwept) return;
  refuse(source_, at, "an explanation goes back through all turns before for each derivative in a loop, and these are too many",
         "take fewer turns, as with `--set N=10`, or explain the derivative of one turn: `--of=NAME`, the name of what `grad` gives");
}

std::size_t Recorder::inner_scope(std::size_t parent, Scope::Kind kind, const Span& span, std::int64_t turn) {
  const auto key = std::tuple(trace_id_, parent, kind, span, turn);
  const auto known = scope_ids_.find(key);
  if (known != scope_ids_.end()) return known->second;
  trace_->scopes.push_back({kind, parent, span, turn, 0});
  return scope_ids_[key] = trace_->scopes.size() - 1;
}

std::size_t Recorder::scope(const ir::Origin& origin) {
  std::size_t at = control_.empty() ? 0 : control_.back().scope;
  const std::size_t depth = control_.empty() ? 0 : control_.back().calls;
  for (std::size_t k = origin.calls.size() - std::min(depth, origin.calls.size()); k-- > 0;) {
    if (trace_->scopes[at].kind == Scope::Kind::library) break;
    const Span& inside = k == 0 ? origin.span : origin.calls[k - 1];
    const bool is_library = needed_.is_in_library(inside);
    at = inner_scope(at, is_library ? Scope::Kind::library : Scope::Kind::call, origin.calls[k], 0);
  }
  return at;
}

// What stood for values before the trace at hand stands for them again.
void Recorder::leave_scratch() {
  while (!shadowed_.empty() && shadowed_.back().by == trace_id_) {
    const Shadowed& last = shadowed_.back();
    known_[last.value.index].flat = last.flat;
    known_[last.value.index].where = last.where;
    shadowed_.pop_back();
  }
  std::erase_if(scope_ids_, [&](const auto& each) { return std::get<0>(each.first) == trace_id_; });
}

}  // namespace bpc::explain
