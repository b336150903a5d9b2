// The table of scalar operators: every elementwise operator at special values, as literals, as `const`, as named values and as inputs;
// interpreted and compiled, at -O0 and -O3. One answer, to the last bit and the sign of zero; every NaN is one.
#include <fmt/format.h>
#include <bit>
#include <catch2/catch.hpp>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "ir/op.h"
#include "tests/support/process.h"

namespace {

using namespace bpc;
using nlohmann::json;

struct Operator {
  std::string name;
  std::string form;  // {0} and {1} are the operands
  bool takes_integers, compares;
  bool is_binary() const { return form.find("{1}") != std::string::npos; }
};

// What the table holds and numbers can be given to.
std::vector<Operator> operators() {
  std::vector<Operator> all;
  for (const ir::OpInfo& info : ir::all_ops()) {
    const bool takes_numbers = info.domain != ir::Domain::boolean && info.rule != ir::ShapeRule::cast && info.rule != ir::ShapeRule::select;
    if (info.group != ir::Group::elementwise || !takes_numbers) continue;
    const bool is_word = std::isalpha(static_cast<unsigned char>(info.spelling[0])) != 0, is_binary = info.min_operands == 2;
    std::string form = !is_word ? (is_binary ? "{{0}} {} {{1}}" : "{}{{0}}") : is_binary ? "{}({{0}}, {{1}})" : "{}({{0}})";
    if (ir::takes_order(info.code)) form = "{}(1, {{0}})";
    form = fmt::format(fmt::runtime(form), info.spelling);
    const bool compares = info.rule == ir::ShapeRule::comparison;
    if (compares) form = fmt::format("real({})", form);
    // A power of integers is one where the exponent is known.
    const bool takes_integers = info.domain != ir::Domain::real && info.code != ir::Opcode::pow;
    all.push_back({std::string(info.name), form, takes_integers, compares});
  }
  return all;
}

struct Values {
  std::string type, list_type;
  std::vector<std::string> values;
};

const Values kReals{"real",
                    "",
                    {"(0.0)", "(-0.0)", "(1.0)", "(-1.0)", "(0.1)", "(-0.1)", "(1.1)", "(2.5)", "(-7.5)", "(2.0)", "(3.0)", "(1e300)",
                     "(-1e-300)", "(1/0)", "(-1/0)", "(0/0)"}};
// In f32 literals are another matter: they are computed in f64 until they meet a type.
const Values kShortReals{
    "real", "", {"(0.0)", "(-0.0)", "(1.1)", "(-1.1)", "(0.1)", "(-2.0)", "(3.0)", "(-7.5)", "(1e30)", "(-1e-30)", "(1/0)", "(0/0)"}};
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
    if (integers && !op.takes_integers) continue;
    std::string type = integers && !op.compares ? "i32" : "";
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

json run(const std::string& text, std::vector<std::string> flags, const std::string& real) {
  std::vector<std::string> words{"run", "-", "--json", "-q", "--real=" + real};
  words.insert(words.end(), flags.begin(), flags.end());
  const test::Finished finished = test::run_bpc(words, text);
  INFO(finished.err.substr(0, 2000));
  REQUIRE(finished.code == 0);
  // A JSON reader takes -0 for the integer 0.
  return json::parse(std::regex_replace(finished.out, std::regex("-0(?=[,\\]])"), "-0.0")).at("values");
}

void compare(const Values& of, std::initializer_list<Given> ways, const std::string& real = "f64") {
  const json expected = run(script(of, Given::inputs), {"--backend=interp"}, real);
  std::string report;
  for (Given given : ways) {
    const std::string name(name_of(given));
    const std::string text = script(of, given);
    for (const std::vector<std::string>& flags : {std::vector<std::string>{"--backend=interp"}, {"-O0"}, {"-O3"}}) {
      const json values = run(text, flags, real);
      for (const Operator& op : operators()) {
        if (!expected.contains("r_" + op.name)) continue;
        const auto here = bits(values.at("r_" + op.name)), there = bits(expected.at("r_" + op.name));
        REQUIRE(here.size() == there.size());
        for (std::size_t i = 0; i < here.size(); ++i) {
          if (here[i] == there[i]) continue;
          std::size_t n = of.values.size();
          report += fmt::format("{} {} {} of {} {}: {} and {}\n", op.name, name, flags[0], of.values[op.is_binary() ? i / n : i],
                                op.is_binary() ? of.values[i % n] : "", values.at("r_" + op.name)[i].dump(),
                                expected.at("r_" + op.name)[i].dump());
        }
      }
    }
  }
  INFO(report);
  CHECK(report.empty());
}

}  // namespace

TEST_CASE("scalar operators give one answer for reals") {
  compare(kReals, {Given::literals, Given::consts, Given::names, Given::inputs});
  compare(kShortReals, {Given::names, Given::inputs}, "f32");
}

TEST_CASE("scalar operators give one answer for integers") {
  compare(kIntegers, {Given::literals, Given::consts, Given::names, Given::inputs});
  compare(kLimits, {Given::names, Given::inputs});
}
