#include "ir/verify.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "ir/tape_uses.h"
#include "ir/text.h"

namespace bpc::ir {

namespace {

class Verifier {
 public:
  explicit Verifier(const Function& function)
      : function_(function), visible_(function.value_count()), placed_(function.op_count()), entered_(function.block_count()) {}

  std::vector<std::string> run() {
    const Block& body = function_.block(function_.body());
    if (body.parent.valid() || !body.arguments.empty() || !body.yields.empty()) problem("the body has a parent, arguments or yields");
    check_parameters();
    check_block(function_.body(), 0);
    check_outputs();
    if (problems_.empty()) check_tapes();
    return std::move(problems_);
  }

 private:
  void problem(const std::string& text) { problems_.push_back(function_.name + ": " + text); }
  void problem(OpId id, const std::string& text) {
    problem(fmt::format("op {} ({}): {}", id.index, op_info(function_.op(id).code).name, text));
  }

  bool exists(ValueId id) const { return id.index < function_.value_count(); }

  std::string name(ValueId id) const {
    const std::string& name = function_.value(id).name;
    return name.empty() ? fmt::format("value {}", id.index) : "%" + name;
  }

  void check_parameters() {
    std::set<std::string> paths;
    for (std::size_t i = 0; i < function_.parameters.size(); ++i) {
      const Parameter& parameter = function_.parameters[i];
      if (!paths.insert(parameter.path).second) problem("two parameters are called " + parameter.path);
      define(parameter.value, OpId{}, function_.body(), i, "parameter " + parameter.path);
    }
  }

  void check_outputs() {
    std::set<std::string> paths, donors;
    for (const Output& output : function_.outputs) {
      if (output.kind == Output::Kind::gradient && !paths.insert(output.path).second) problem("two gradients by " + output.path);
      if (!exists(output.value) || !visible_[output.value.index]) problem("output " + output.path + " is not a value of the body");
      if (output.donor.empty()) continue;
      if (!donors.insert(output.donor).second) problem("two outputs take the memory of " + output.donor);
      auto donor = std::find_if(function_.parameters.begin(), function_.parameters.end(),
                                [&](const Parameter& parameter) { return parameter.path == output.donor; });
      if (donor == function_.parameters.end())
        problem("no parameter is called " + output.donor);
      else if (!exists(output.value) || !same_type(function_.type(donor->value), function_.type(output.value)))
        problem("output " + output.path + " does not fit into " + output.donor);
    }
  }

  // Notes a definition and checks that the value agrees about it.
  void define(ValueId id, OpId op, BlockId block, std::size_t slot, const std::string& what) {
    if (!exists(id)) return problem(what + " is no value");
    const Value& value = function_.value(id);
    if (visible_[id.index]) problem(what + " is defined twice");
    if (value.op != op || value.block != block || value.slot != slot) problem(what + " does not link back to its definition");
    for (const Dim& dim : value.type.dims)
      if (!dim.name.empty() && !is_identifier(dim.name.text)) problem(what + " has a dim with a bad name");
    if (const std::string wrong = shape_problem(value.type.dims); !wrong.empty()) return problem(what + " has " + wrong);
    visible_[id.index] = true;
    scope_.push_back(id);
  }

  // Whether the values can all be used here.
  bool check_uses(const std::vector<ValueId>& values, const std::string& what) {
    std::size_t before = problems_.size();
    for (ValueId id : values) {
      if (!exists(id))
        problem(what + " is no value");
      else if (!visible_[id.index])
        problem(fmt::format("{} {} is used before it is defined, or outside its region", what, name(id)));
    }
    return problems_.size() == before;
  }

  void check_block(BlockId id, std::size_t depth) {
    if (depth > kDeepestRegion) return problem("regions are nested too deeply");
    if (entered_[id.index]) return problem(fmt::format("block {} is a region twice", id.index));
    entered_[id.index] = true;
    std::size_t outer = scope_.size();
    const Block& block = function_.block(id);
    for (std::size_t i = 0; i < block.arguments.size(); ++i)
      define(block.arguments[i], OpId{}, id, i, fmt::format("argument {} of block {}", i, id.index));
    for (OpId op : block.ops) {
      if (op.index >= function_.op_count())
        problem(fmt::format("block {} lists an op that is none", id.index));
      else
        check_op(op, id, depth);
    }
    check_uses(block.yields, fmt::format("yield of block {}", id.index));
    if (depth == 0) return;  // outputs still look at the body's values
    for (; scope_.size() > outer; scope_.pop_back()) visible_[scope_.back().index] = false;
  }

  void check_op(OpId id, BlockId block, std::size_t depth) {
    const Op& op = function_.op(id);
    if (placed_[id.index]) return problem(id, "stands in two places");
    placed_[id.index] = true;
    if (op.block != block) problem(id, "does not know its block");
    bool sound = check_uses(op.operands, fmt::format("op {} ({}): operand", id.index, op_info(op.code).name));
    std::size_t before = problems_.size();
    for (BlockId region : op.regions) {
      if (region.index >= function_.block_count() || function_.block(region).parent != id)
        problem(id, "has a region that does not know it");
      else
        check_block(region, depth + 1);
    }
    for (std::size_t i = 0; i < op.results.size(); ++i) define(op.results[i], id, block, i, fmt::format("result {} of op {}", i, id.index));
    if (!sound || problems_.size() > before) return;
    if (std::string what = op_problem(function_, op); !what.empty()) problem(id, what);
  }

  void check_tapes() {
    for (const TapeMisuse& misuse : tape_misuses(function_))
      problem("tape " + name(misuse.tape) +
              (misuse.before.valid() ? " is used twice" : " is used in a loop that it comes from outside of"));
    for (const Output& output : function_.outputs)
      if (function_.type(output.value).tape) problem("output " + output.path + " is a tape");
  }

  const Function& function_;
  std::vector<bool> visible_, placed_, entered_;  // by value, op, block
  std::vector<ValueId> scope_;                    // visible values, inner scopes last
  std::vector<std::string> problems_;
};

void check_spans(const Function& function, std::size_t files, std::vector<std::string>& problems) {
  auto known = [&](const Span& span) { return !span.valid() || span.file < files; };
  auto check = [&](OriginId id, const std::string& what) {
    const Origin& origin = function.origin(id);
    if (!known(origin.span) || !std::all_of(origin.calls.begin(), origin.calls.end(), known) ||
        !std::all_of(origin.joined.begin(), origin.joined.end(), known))
      problems.push_back(fmt::format("{}: {} comes from a file that the module does not list", function.name, what));
  };
  for (const Parameter& parameter : function.parameters) check(parameter.origin, fmt::format("\"{}\"", parameter.path));
  for (std::uint32_t i = 0; i < function.op_count(); ++i) check(function.op(OpId{i}).origin, fmt::format("op {}", i));
}

}  // namespace

std::vector<std::string> verify(const Function& function) {
  return Verifier(function).run();
}

std::vector<std::string> verify(const Module& module) {
  std::vector<std::string> problems;
  for (const Function* function : module.functions()) {
    for (std::string& problem : verify(*function)) problems.push_back(std::move(problem));
    check_spans(*function, module.files.size(), problems);
  }
  return problems;
}

}  // namespace bpc::ir
