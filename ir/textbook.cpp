#include "ir/textbook.h"

#include <algorithm>
#include <functional>
#include <map>

#include "ir/rewrite.h"
#include "ir/static_facts.h"

namespace bpc::ir {

bool is_arithmetic(Opcode code) {
  switch (code) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::strong_mul:
    case Opcode::div:
    case Opcode::neg:
    case Opcode::pow:
    case Opcode::einsum:
      return true;
    default:
      return false;
  }
}

bool is_movement(Opcode code) {
  return op_info(code).group == Group::movement || code == Opcode::cast || code == Opcode::variable;
}

namespace {

bool is_digit(unsigned char c) {
  return std::isdigit(c) != 0;
}

// "t12", as the sweeps call what nobody named.
bool is_temporary(const std::string& name) {
  return name.size() > 1 && name[0] == 't' && std::all_of(name.begin() + 1, name.end(), is_digit);
}

std::string digits_at_end(const std::string& name) {
  std::size_t at = name.size();
  while (at > 0 && is_digit(static_cast<unsigned char>(name[at - 1]))) --at;
  return at == 0 ? "" : name.substr(at);
}

// A product with the seed of a derivative, which is 1, is the other factor.
Function without_seeds(const Function& function) {
  Rewriter rewriter(function);
  return rewriter.finish([&](const Op& op) {
    if (op.code != Opcode::mul || function.origin(op.origin).rule.empty()) return false;
    for (std::size_t i = 0; i < 2; ++i) {
      const ValueId one = op.operands[i], other = op.operands[1 - i];
      const Op* made = function.def(one);
      const bool is_seed = made && function.origin(made->origin).rule == "seed" && constant_value(function, one) == 1.0;
      if (!is_seed || !same_type(function.type(other), function.type(op.results[0]))) continue;
      // What stands for the product keeps its own name.
      rewriter.set(op.results[0], rewriter.map(other));
      return function.def(other) != nullptr;
    }
    return false;
  });
}

class Namer {
 public:
  Namer(Function& function, const std::set<std::string>& authors) : function_(function), authors_(authors), taken_(authors) {
    for (std::uint32_t i = 0; i < function.value_count(); ++i) taken_.insert(function.value(ValueId{i}).name);
    for (const Parameter& parameter : function.parameters) taken_.insert(parameter.path);
    for (const Output& output : function.outputs) taken_.insert(output.path);
  }

  void run(Style style) {
    readers_.resize(function_.value_count());
    walk(function_.body(), [&](OpId id) {
      for (ValueId operand : function_.op(id).operands) readers_[operand.index].push_back(id);
      for (BlockId region : function_.op(id).regions)
        for (ValueId yield : function_.block(region).yields) readers_[yield.index].push_back(id);
    });
    // Temporaries are numbered anew, so that their numbers have no gaps.
    for (std::uint32_t i = 0; i < function_.value_count(); ++i)
      if (const std::string& name = function_.value(ValueId{i}).name; is_ours(name)) taken_.erase(name);
    walk(function_.body(), [&](OpId id) {
      for (ValueId result : function_.op(id).results) choose(result);
    });
    for (std::uint32_t i = 0; i < function_.value_count(); ++i) {
      Value& value = function_.value(ValueId{i});
      const std::string named = renamed(value.name);
      const Op* made = function_.def(ValueId{i});
      const bool is_seed = made && function_.origin(made->origin).rule == "seed";
      const bool is_free = is_seed || is_ours(value.name) || named != value.name;
      value.name = named;
      if (style == Style::brief && is_free && becomes_part(ValueId{i})) value.name.clear();
    }
  }

 private:
  void walk(BlockId block, const std::function<void(OpId)>& visit) const {
    for (OpId id : function_.block(block).ops) {
      visit(id);
      for (BlockId region : function_.op(id).regions) walk(region, visit);
    }
  }

  bool is_ours(const std::string& name) const { return is_temporary(name) && !authors_.contains(name); }

  void choose(ValueId value) {
    const std::string& name = function_.value(value).name;
    if (!is_ours(name) || names_.contains(name)) return;
    const Op& made = *function_.def(value);
    if (op_info(made.code).group == Group::source) {
      names_[name] = fresh("c", "");
      return;
    }
    std::string wanted;
    if (!is_arithmetic(made.code) && !is_movement(made.code)) {
      for (ValueId operand : made.operands) {
        const std::string before = renamed(function_.value(operand).name);
        if (before.starts_with('z') && digits_at_end(before).size() + 1 == before.size()) wanted = "a" + before.substr(1);
      }
      names_[name] = fresh("a", wanted);
      return;
    }
    if (is_part_of_arithmetic(value)) {
      names_[name] = fresh("t", "");
      return;
    }
    for (OpId reader : readers_[value.index]) {
      const Op& reading = function_.op(reader);
      const bool is_function = !is_arithmetic(reading.code) && !is_movement(reading.code);
      if (reading.results.empty() || !function_.origin(reading.origin).rule.empty() || !is_function) continue;
      const std::string& result = function_.value(reading.results[0]).name;
      if (const std::string digits = digits_at_end(result); !digits.empty() && !is_ours(result)) wanted = "z" + digits;
    }
    names_[name] = fresh("z", wanted);
  }

  // Of the program as it was, what only one expression reads: the derivative's own reading aside.
  bool is_part_of_arithmetic(ValueId value) const {
    std::size_t parts = 0;
    for (OpId reader : readers_[value.index]) {
      const Op& reading = function_.op(reader);
      if (!function_.origin(reading.origin).rule.empty()) continue;
      if (!is_arithmetic(reading.code) && !is_movement(reading.code)) return false;
      ++parts;
    }
    return parts == 1;
  }

  std::string fresh(const std::string& letter, const std::string& wanted) {
    if (!wanted.empty() && taken_.insert(wanted).second) return wanted;
    std::string name;
    do name = letter + std::to_string(++counts_[letter]);
    while (!taken_.insert(name).second);
    return name;
  }

  // A name, or one that is made of it.
  std::string renamed(const std::string& name) {
    if (authors_.contains(name)) return name;
    if (const auto known = names_.find(name); known != names_.end()) return known->second;
    constexpr std::string_view kTape = "_tape", kBy = "_d";
    if (name.ends_with(kTape)) return renamed(name.substr(0, name.size() - kTape.size())) + std::string(kTape);
    const std::size_t by = name.rfind(kBy);
    if (!name.starts_with('d') || by == std::string::npos || by < 2) return name;
    const std::string of = name.substr(1, by - 1);
    if (is_ours(of) && !names_.contains(of)) names_[of] = fresh("z", "");  // which nothing needs but its derivatives
    return "d" + renamed(of) + std::string(kBy) + renamed(name.substr(by + kBy.size()));
  }

  // What a person would write in place: arithmetic that one other expression reads, the 1 that a derivative starts with, and in the program
  // as it was anything that is read once.
  bool becomes_part(ValueId value) const {
    const Op* made = function_.def(value);
    const std::vector<OpId>& readers = readers_[value.index];
    if (!made || readers.size() != 1 || function_.op(readers[0]).block != made->block || !made->regions.empty()) return false;
    const Opcode reader = function_.op(readers[0]).code;
    const bool is_primal = function_.origin(made->origin).rule.empty();
    if (is_movement(made->code) || (is_primal && made->results.size() == 1)) return true;
    if (function_.origin(made->origin).rule == "seed") return true;
    return is_arithmetic(made->code) && (is_arithmetic(reader) || is_movement(reader));
  }

  Function& function_;
  const std::set<std::string>& authors_;
  std::set<std::string> taken_;
  std::map<std::string, std::string> names_;  // by the sweeps' name
  std::map<std::string, int> counts_;
  std::vector<std::vector<OpId>> readers_;
};

}  // namespace

Function with_textbook_names(const Function& function, const std::set<std::string>& authors, Style style) {
  Function named = style == Style::brief ? without_seeds(function) : function;
  Namer(named, authors).run(style);
  return named;
}

}  // namespace bpc::ir
