// The table of scalar operators: every elementwise operator at special values, as literals, as `const`, as named values and as inputs;
// interpreted and compiled, at -O0 and -O3. One answer, to the last bit and the sign of zero; every NaN is one.
#include <fmt/format.h>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/process.h"

namespace {

using nlohmann::json;

struct Operator {
  std::string name;
  std::string form;  // {0} and {1} are the operands
  bool is_binary() const { return form.find("{1}") != std::string::npos; }
};

std::vector<Operator> operators() {
  std::vector<Operator> all{{"neg", "-{0}"}};
  for (const char* name :
       {"abs",  "sign", "exp",  "expm1", "log", "log1p",  "sqrt",  "rsqrt", "sin",   "cos",  "tan",  "asin",    "acos",
        "atan", "sinh", "cosh", "tanh",  "erf", "lgamma", "floor", "ceil",  "round", "relu", "step", "sigmoid", "softplus"})
    all.push_back({name, fmt::format("{}({{0}})", name)});
  for (auto [name, sign] :
       {std::pair{"add", "+"}, {"sub", "-"}, {"mul", "*"}, {"div", "/"}, {"floordiv", "//"}, {"mod", "%"}, {"pow", "^"}})
    all.push_back({name, fmt::format("{{0}} {} {{1}}", sign)});
  for (const char* name : {"max", "min", "atan2"}) all.push_back({name, fmt::format("{}({{0}}, {{1}})", name)});
  for (auto [name, sign] : {std::pair{"lt", "<"}, {"le", "<="}, {"eq", "=="}, {"ne", "!="}})
    all.push_back({name, fmt::format("real({{0}} {} {{1}})", sign)});
  return all;
}

struct Values {
  std::string type, list_type;
  std::vector<std::string> values;
};

const Values kReals{"real",
                    "",
                    {"(0.0)", "(-0.0)", "(1.0)", "(-1.0)", "(0.1)", "(-0.1)", "(2.5)", "(-7.5)", "(3.0)", "(1e300)", "(-1e-300)", "(1/0)",
                     "(-1/0)", "(0/0)"}};
const Values kIntegers{"i32", "i32", {"0", "1", "(-1)", "2", "(-7)", "5"}};
// Literals that do not fit are errors; at run time they wrap.
const Values kLimits{"i32", "i32", {"0", "(-1)", "3", "2147483647", "(-2147483647)", "(-2147483647 - 1)"}};

enum class Given { literals, consts, names, inputs };
std::string_view name_of(Given given) {
  switch (given) {
    case Given::literals:
      return "literals";
    case Given::consts:
      return "consts";
    case Given::names:
      return "names";
    case Given::inputs:
      return "inputs";
  }
  return "";
}

bool takes_integers(const Operator& op) {
  static const std::set<std::string> those{"neg",      "abs", "sign", "relu", "step", "add", "sub", "mul",
                                           "floordiv", "mod", "max",  "min",  "lt",   "le",  "eq",  "ne"};
  return those.contains(op.name);
}

// One value for each operator: the results for all operands, or pairs of them.
std::string script(const Values& of, Given given) {
  std::string text, xs, ys, all;
  std::vector<std::string> operands = of.values;
  std::size_t n = operands.size();
  bool integers = of.type == "i32";
  for (std::size_t i = 0; i < n; ++i) {
    if (given == Given::consts) text += fmt::format("const c{} = {}\n", i, operands[i]);
    if (given == Given::names) text += fmt::format("c{} : {} = {}\n", i, of.type, operands[i]);
    if (given == Given::consts || given == Given::names) operands[i] = fmt::format("c{}", i);
  }
  auto join = [](std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; };
  for (std::size_t i = 0; i < n; ++i) {
    join(all, of.values[i]);
    for (std::size_t k = 0; k < n; ++k) {
      join(xs, of.values[i]);
      join(ys, of.values[k]);
    }
  }
  if (given == Given::inputs)
    text += fmt::format("input all : {0}[{1}] = [{3}]\ninput xs : {0}[{2}] = [{4}]\ninput ys : {0}[{2}] = [{5}]\n", of.list_type, n, n * n,
                        all, xs, ys);
  for (const Operator& op : operators()) {
    if (integers && !takes_integers(op)) continue;
    bool compares = op.form.starts_with("real(");
    std::string type = integers && !compares ? "i32" : "";
    std::size_t count = op.is_binary() ? n * n : n;
    std::string results;
    if (given == Given::inputs) {
      bool divides = integers && (op.name == "floordiv" || op.name == "mod");
      std::string second = divides ? "where(ys == 0, 1, ys)" : "ys";
      results = op.is_binary() ? fmt::format(fmt::runtime(op.form), "xs", second) : fmt::format(fmt::runtime(op.form), "all");
    } else {
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < (op.is_binary() ? n : 1); ++k) {
          bool by_zero = integers && (op.name == "floordiv" || op.name == "mod") && of.values[k] == "0";
          join(results, fmt::format(fmt::runtime(op.form), operands[i], by_zero ? "1" : operands[k]));
        }
      results = "[" + results + "]";
      if (type == "i32") results = "i32(" + results + ")";  // functions of literals are real
    }
    text += fmt::format("r_{} : {}[{}] = {}\n", op.name, type, count, results);
  }
  return text;
}

std::vector<std::uint64_t> bits(const json& values) {
  std::vector<std::uint64_t> result;
  for (const json& value : values) {
    double number = value.is_string() ? (value == "nan" ? NAN : value == "inf" ? INFINITY : -INFINITY) : value.get<double>();
    result.push_back(std::isnan(number) ? 1 : std::bit_cast<std::uint64_t>(number));
  }
  return result;
}

json run(const std::string& text, std::vector<std::string> flags) {
  std::vector<std::string> words{"run", "-", "--json", "-q", "--real=f64"};
  words.insert(words.end(), flags.begin(), flags.end());
  const bpc::test::Finished finished = bpc::test::run_bpc(words, text);
  INFO(finished.err.substr(0, 2000));
  REQUIRE(finished.code == 0);
  return json::parse(finished.out).at("values");
}

// Rows whose answers differ today, between what the compiler computes of numbers that it knows and the runtime. Once they agree, they go.
const std::set<std::string> kKnownToDiffer{"floordiv literals", "floordiv consts", "max literals",
                                           "max consts",        "min literals",    "min consts"};

void compare(const Values& of, std::initializer_list<Given> ways) {
  const json expected = run(script(of, Given::inputs), {"--backend=interp"});
  std::string report;
  for (Given given : ways) {
    const std::string name(name_of(given));
    const std::string text = script(of, given);
    std::set<std::string> differ;
    for (const std::vector<std::string>& flags : {std::vector<std::string>{"--backend=interp"}, {"-O0"}, {"-O3"}}) {
      const json values = run(text, flags);
      for (const Operator& op : operators()) {
        if (!expected.contains("r_" + op.name)) continue;
        const auto here = bits(values.at("r_" + op.name)), there = bits(expected.at("r_" + op.name));
        REQUIRE(here.size() == there.size());
        for (std::size_t i = 0; i < here.size(); ++i) {
          if (here[i] == there[i]) continue;
          const std::string row = op.name + " " + name;
          differ.insert(row);
          if (kKnownToDiffer.contains(row)) continue;
          std::size_t n = of.values.size();
          report += fmt::format("{} {} of {} {}: {} and {}\n", row, flags[0], of.values[op.is_binary() ? i / n : i],
                                op.is_binary() ? of.values[i % n] : "", values.at("r_" + op.name)[i].dump(),
                                expected.at("r_" + op.name)[i].dump());
        }
      }
    }
    if (of.type != "real") continue;
    for (const std::string& row : kKnownToDiffer)
      if (row.ends_with(name) && !differ.contains(row)) report += row + " agrees now: take it off the list\n";
  }
  INFO(report);
  CHECK(report.empty());
}

}  // namespace

TEST_CASE("scalar operators give one answer for reals") {
  compare(kReals, {Given::literals, Given::consts, Given::names, Given::inputs});
}

TEST_CASE("scalar operators give one answer for integers") {
  compare(kIntegers, {Given::literals, Given::consts, Given::names, Given::inputs});
  compare(kLimits, {Given::names, Given::inputs});
}
