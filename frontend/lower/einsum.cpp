// einsum of any number of operands, in NumPy's notation: diagonals, sums, and contractions of two at a time.
#include <fmt/format.h>
#include <algorithm>
#include <cctype>
#include <map>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "support/source.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

// Stands for "...", until the operands say for how many axes; nobody can write it.
constexpr char kRest = '\1';

struct Spec {
  std::vector<std::string> operands;  // the letter of each axis
  std::string out;
};

struct Factor {
  Item item;
  std::string letters;
};

bool holds(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

std::size_t count_of(const std::vector<std::string>& operands, char letter) {
  std::size_t count = 0;
  for (const std::string& letters : operands) count += static_cast<std::size_t>(std::count(letters.begin(), letters.end(), letter));
  return count;
}

// Without "->", the result has the letters that occur once, in the order of the alphabet.
std::string implied_output(const std::vector<std::string>& operands) {
  std::string out;
  for (const std::string& letters : operands)
    for (char letter : letters)
      if (letter != kRest && count_of(operands, letter) == 1) out += letter;
  std::sort(out.begin(), out.end());
  return count_of(operands, kRest) > 0 ? kRest + out : out;
}

class Einsum {
 public:
  Einsum(Context& c, const BuiltinCall& call) : c_(c), call_(call) {}

  std::optional<Item> run() {
    if (!parse()) return std::nullopt;
    auto values = operands();
    if (!values || !name_rest(*values) || !check_ranks(*values) || !check_sizes(*values)) return std::nullopt;
    for (std::size_t i = 0; i < values->size(); ++i) factors_.push_back({(*values)[i], spec_.operands[i]});
    for (Factor& factor : factors_)
      if (!take_diagonals(factor)) return std::nullopt;
    for (std::size_t i = 0; i < factors_.size(); ++i)
      if (!sum_alone(i)) return std::nullopt;
    while (factors_.size() > 1)
      if (!contract_cheapest()) return std::nullopt;
    return transposed();
  }

 private:
  // ---- the spec ----

  bool wrong(Code code, std::string message, std::string help) {
    c_.error(code, call_["spec"].span, std::move(message), std::move(help));
    return false;
  }

  bool parse() {
    const Text* given = call_["spec"].as<Text>();
    if (!given) return wrong(Code::E0209, "the first argument of `einsum` is its spec", "write it like `einsum(\"bij,bjk->bik\", a, b)`");
    std::string text = given->text;
    std::erase(text, ' ');
    for (std::size_t at; (at = text.find("...")) != std::string::npos;) text.replace(at, 3, 1, kRest);
    std::size_t arrow = text.find("->");
    const std::string inputs = text.substr(0, arrow);
    spec_.operands.emplace_back();
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] == ',')
        spec_.operands.emplace_back();
      else if (is_axis(inputs[i]))
        spec_.operands.back() += inputs[i];
      else
        return wrong_character(inputs, i);
    spec_.out = arrow == std::string::npos ? implied_output(spec_.operands) : text.substr(arrow + 2);
    return check_output();
  }

  static bool is_axis(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == kRest; }

  bool wrong_character(const std::string& text, std::size_t at) {
    return wrong(Code::E0204,
                 fmt::format("the spec of `einsum` names axes by letters, and `{}` is none", text.substr(at, code_point_length(text, at))),
                 "write it like \"bij,bjk->bik\"");
  }

  bool check_output() {
    const std::string& out = spec_.out;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!is_axis(out[i])) return wrong_character(out, i);
      if (count_of(spec_.operands, out[i]) == 0)
        return wrong(Code::E0204, fmt::format("the result of `einsum` names {}, which no operand has", spelled(std::string(1, out[i]))),
                     fmt::format("the letters of the operands are \"{}\"; `expand_dims` makes a new axis", operands_text()));
      if (out.find(out[i]) != i)
        return wrong(Code::E0204, fmt::format("the result of `einsum` names {} twice", spelled(std::string(1, out[i]))),
                     "a result has each letter once; `diag(x)` puts a vector on a diagonal");
    }
    return true;
  }

  // ---- the operands ----

  std::optional<std::vector<Item>> operands() {
    std::vector<Item> given(call_.arguments.begin() + 1, call_.arguments.end());
    if (given.size() != spec_.operands.size()) {
      wrong(Code::E0105,
            fmt::format("the spec \"{}\" is for {} operand{}, and {} {} given", operands_text(), spec_.operands.size(),
                        spec_.operands.size() == 1 ? "" : "s", given.size(), given.size() == 1 ? "is" : "are"),
            "the letters of each operand stand between commas");
      return std::nullopt;
    }
    auto values = to_common(c_, given, ir::Domain::number);
    if (!values) return std::nullopt;
    for (const Item& value : *values)
      if (type(value).element == Element::boolean) {
        c_.error(Code::E0203, value.span, fmt::format("`einsum` takes numbers, and {} is bool", c_.described(value)),
                 fmt::format("`real({})` makes 1 of true and 0 of false", c_.text_of(value.span)));
        return std::nullopt;
      }
    return values;
  }

  static std::string spelled(std::string letters) {
    if (const std::size_t at = letters.find(kRest); at != std::string::npos) letters.replace(at, 1, "...");
    return letters;
  }
  std::string operands_text() const {
    std::string text;
    for (const std::string& letters : spec_.operands) text += (text.empty() ? "" : ",") + spelled(letters);
    return text;
  }

  // Gives the axes of "..." letters of their own: the last ones of the operands are the same.
  bool name_rest(const std::vector<Item>& values) {
    std::string free;
    for (char letter = 'A'; letter <= 'z'; ++letter)
      if (std::isalpha(static_cast<unsigned char>(letter)) && count_of(spec_.operands, letter) == 0) free += letter;
    std::size_t most = 0;
    auto rest_of = [&](std::size_t i) {
      const std::size_t named = spec_.operands[i].size() - 1, rank = type(values[i]).rank();
      return rank > named ? rank - named : 0;
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t times = count_of({spec_.operands[i]}, kRest);
      if (times > 1) return wrong(Code::E0204, fmt::format("\"{}\" has `...` twice", spelled(spec_.operands[i])), "an operand has it once");
      if (times == 1) most = std::max(most, rest_of(i));
    }
    if (most > free.size()) return wrong(Code::E0204, "the operands of `einsum` have more axes than there are letters", "");
    free.resize(most);
    if (most > 0 && !holds(spec_.out, kRest))
      return wrong(Code::E0204, fmt::format("the result \"{}\" of `einsum` lacks the axes that `...` stands for", spec_.out),
                   "write `...` behind the `->` as well");
    for (std::size_t i = 0; i < values.size(); ++i)
      if (const std::size_t at = spec_.operands[i].find(kRest); at != std::string::npos)
        spec_.operands[i].replace(at, 1, free.substr(most - rest_of(i)));
    if (const std::size_t at = spec_.out.find(kRest); at != std::string::npos) spec_.out.replace(at, 1, free);
    return true;
  }

  const Type& type(const Item& item) { return c_.type(item); }

  bool check_ranks(const std::vector<Item>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::size_t named = spec_.operands[i].size(), rank = type(values[i]).rank();
      if (named == rank) continue;
      std::string has = rank == 0 ? "is a scalar" : fmt::format("has {} {}", rank, rank == 1 ? "axis" : "axes");
      c_.report(error_at(Code::E0204, values[i].span,
                         fmt::format("\"{}\" names {} {}, and {} {}", spec_.operands[i], named, named == 1 ? "axis" : "axes",
                                     c_.described(values[i]), has),
                         "the spec of `einsum` has a letter for each axis")
                    .label(values[i].span, rank == 0 ? "a scalar" : shape_text(type(values[i]).dims)));
      return false;
    }
    return true;
  }

  // Each letter has one size, and at most one name.
  bool check_sizes(const std::vector<Item>& values) {
    struct Seen {
      std::size_t operand;
      Dim dim;
    };
    std::map<char, Seen> seen;
    for (std::size_t k = 0; k < values.size(); ++k)
      for (std::size_t i = 0; i < spec_.operands[k].size(); ++i) {
        const char letter = spec_.operands[k][i];
        const Dim dim = type(values[k]).dims[i];
        auto [known, is_new] = seen.try_emplace(letter, Seen{k, dim});
        if (is_new) continue;
        Dim& first = known->second.dim;
        bool names_clash = !first.name.empty() && !dim.name.empty() && first.name != dim.name;
        if (first.size != dim.size || names_clash) return misfit(values, letter, known->second.operand, first, k, dim);
        if (first.name.empty()) first.name = dim.name;
        sizes_[letter] = first;
      }
    for (const auto& [letter, one] : seen) sizes_[letter] = one.dim;
    return true;
  }

  bool misfit(const std::vector<Item>& values, char letter, std::size_t a, const Dim& m, std::size_t b, const Dim& n) {
    bool by_name = m.size == n.size;
    std::string help = by_name                      ? "if the match is meant, rename with `reshape(v, […])`"
                       : m.size == 1 || n.size == 1 ? "`einsum` does not stretch: drop the axis of size 1 with `squeeze`, and its letter"
                                                    : "axes that do not go together get different letters";
    auto note = [&](std::size_t k, const Dim& dim) {
      return fmt::format("{}: {} is {}", shape_text(type(values[k]).dims), letter, dim_text(dim));
    };
    Diagnostic diagnostic = a == b
                                ? error_at(Code::E0201, values[a].span,
                                           fmt::format("{} is {} and {} in {}", letter, dim_text(m), dim_text(n), c_.described(values[a])))
                                      .label(values[a].span, shape_text(type(values[a]).dims))
                                : error_at(Code::E0201, call_.span,
                                           fmt::format("{} is {} in {} and {} in {}", letter, dim_text(m), c_.described(values[a]),
                                                       dim_text(n), c_.described(values[b])))
                                      .label(values[a].span, note(a, m))
                                      .label(values[b].span, note(b, n));
    if (by_name) diagnostic.code = Code::E0202;
    diagnostic.help = std::move(help);
    c_.report(std::move(diagnostic));
    return false;
  }

  // ---- lowering ----

  bool take_diagonals(Factor& factor) {
    for (std::size_t i = 0; i < factor.letters.size(); ++i)
      if (factor.letters.find(factor.letters[i], i + 1) != std::string::npos && !take_diagonal(factor, i)) return false;
    return true;
  }

  // The axes of the letter at `first` side by side, as one axis of n^m places, of which each (1 + n + … + n^(m-1))-th is on the diagonal.
  bool take_diagonal(Factor& factor, std::size_t first) {
    const char letter = factor.letters[first];
    const Dim dim = sizes_[letter];
    std::vector<std::int64_t> perm;
    std::vector<Dim> merged;
    std::string letters;
    std::int64_t places = 1, step = 0;
    for (std::size_t i = 0; i < first; ++i) perm.push_back(static_cast<std::int64_t>(i));
    for (std::size_t i = first; i < factor.letters.size(); ++i) {
      if (factor.letters[i] != letter) continue;
      perm.push_back(static_cast<std::int64_t>(i));
      step += places;
      if (__builtin_mul_overflow(places, dim.size, &places)) {  // of an empty tensor
        c_.error(Code::E0210, factor.item.span, fmt::format("{} is too large for a diagonal", c_.described(factor.item)));
        return false;
      }
    }
    for (std::size_t i = first; i < factor.letters.size(); ++i)
      if (factor.letters[i] != letter) perm.push_back(static_cast<std::int64_t>(i));
    for (std::size_t i = 0; i < factor.letters.size(); ++i)
      if (factor.letters[i] != letter || i == first) letters += factor.letters[i];
    for (char one : letters) merged.push_back(one == letter ? Dim{places, {}} : sizes_[one]);
    auto item = transpose(factor.item, std::move(perm));
    item = item ? reshape(c_, call_.span, *item, merged) : std::nullopt;
    if (!item) return false;
    std::vector<std::int64_t> starts(letters.size(), 0), steps(letters.size(), 1), sizes = type(*item).sizes();
    sizes[first] = dim.size;
    steps[first] = step;
    item = c_.emit(call_.span, Opcode::slice, {*item},
                   {{Attr::starts, starts},
                    {Attr::sizes, sizes},
                    {Attr::steps, steps},
                    {Attr::dynamic, std::vector<std::int64_t>{}},
                    {Attr::drop, std::vector<std::int64_t>{}}});
    merged[first] = dim;
    item = item ? reshape(c_, call_.span, *item, merged) : std::nullopt;  // names the axis again
    if (item) factor = {*item, letters};
    return item.has_value();
  }

  // Whether a letter goes on after the given factors have been multiplied.
  bool is_wanted(char letter, std::size_t a, std::size_t b) const {
    if (holds(spec_.out, letter)) return true;
    for (std::size_t i = 0; i < factors_.size(); ++i)
      if (i != a && i != b && holds(factors_[i].letters, letter)) return true;
    return false;
  }

  // A letter of one operand that neither another one nor the result has.
  bool sum_alone(std::size_t at) {
    Factor& factor = factors_[at];
    std::vector<std::int64_t> axes;
    std::string left;
    for (std::size_t i = 0; i < factor.letters.size(); ++i)
      if (is_wanted(factor.letters[i], at, at))
        left += factor.letters[i];
      else
        axes.push_back(static_cast<std::int64_t>(i));
    if (axes.empty()) return true;
    auto sum = c_.emit(call_.span, Opcode::reduce_sum, {factor.item}, {{Attr::axes, axes}, {Attr::keep, false}});
    if (sum) factor = {*sum, left};
    return sum.has_value();
  }

  // Multiplies the two factors whose product costs least, the first such pair.
  bool contract_cheapest() {
    std::size_t a = 0, b = 1;
    double least = -1;
    for (std::size_t i = 0; i < factors_.size(); ++i)
      for (std::size_t j = i + 1; j < factors_.size(); ++j) {
        double cost = 1;
        for (const auto& [letter, dim] : sizes_)
          if (holds(factors_[i].letters, letter) || holds(factors_[j].letters, letter)) cost *= static_cast<double>(dim.size);
        if (least >= 0 && cost >= least) continue;
        least = cost;
        a = i;
        b = j;
      }
    const std::string both = factors_[a].letters + factors_[b].letters;
    std::string out;
    for (char letter : both)
      if (!holds(out, letter) && is_wanted(letter, a, b)) out += letter;
    if (factors_.size() == 2) out = spec_.out;
    auto product =
        contract(c_, call_.span, factors_[a].letters + "," + factors_[b].letters + "->" + out, factors_[a].item, factors_[b].item);
    if (!product) return false;
    factors_[a] = {*product, out};
    factors_.erase(factors_.begin() + static_cast<std::ptrdiff_t>(b));
    return true;
  }

  std::optional<Item> transposed() {
    std::vector<std::int64_t> perm;
    for (char letter : spec_.out) perm.push_back(static_cast<std::int64_t>(factors_[0].letters.find(letter)));
    return transpose(factors_[0].item, std::move(perm));
  }

  std::optional<Item> transpose(const Item& x, std::vector<std::int64_t> perm) {
    return std::is_sorted(perm.begin(), perm.end()) ? x : c_.emit(call_.span, Opcode::transpose, {x}, {{Attr::perm, std::move(perm)}});
  }

  Context& c_;
  const BuiltinCall& call_;
  Spec spec_;
  std::map<char, Dim> sizes_;
  std::vector<Factor> factors_;
};

}  // namespace

std::optional<Item> builtins::einsum(Context& c, const BuiltinCall& call) {
  auto result = Einsum(c, call).run();
  if (result) result->span = call.span;
  return result;
}

}  // namespace bpc::frontend::lowering
