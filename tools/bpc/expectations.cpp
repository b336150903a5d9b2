#include "tools/bpc/expectations.h"

#include "runtime/number_text.h"

namespace bpc::tool {

namespace {

std::string trim(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

std::optional<double> number(const std::string& text) {
  auto value = nlohmann::json::parse(text, nullptr, false);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

// "NAME = VALUE" with an optional "within TOLERANCE".
std::optional<Expectation> read_value(Expectation::Kind kind, Span span, const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos) return std::nullopt;
  Expectation expectation{kind, span, trim(text.substr(0, equals)), {}, {}};
  std::string value = trim(text.substr(equals + 1));
  if (std::size_t within = value.find("within"); within != std::string::npos) {
    expectation.within = number(trim(value.substr(within + 6)));
    if (!expectation.within) return std::nullopt;
    value = trim(value.substr(0, within));
  }
  if (value == "nan" || value == "inf" || value == "-inf") {
    expectation.value = value;
  } else {
    expectation.value = nlohmann::json::parse(value, nullptr, false);
  }
  if (expectation.name.empty() || expectation.value.is_discarded()) return std::nullopt;
  return expectation;
}

constexpr std::string_view kHelp =
    "write `# expect: NAME = VALUE`, `# expect: NAME = VALUE within 1e-6`, `# expect-grad: PARAM = VALUE` or `# expect-error: E0201`";

// A comment's word before its colon: "expect" of `# expect: J = 2`; empty for a comment without one.
struct Tagged {
  std::string word;
  std::string_view rest;
};
Tagged tagged(std::string_view comment) {
  std::size_t colon = comment.find(':');
  if (colon == std::string_view::npos) return {};
  return {trim(comment.substr(1, colon - 1)), comment.substr(colon + 1)};
}

// `text` starts at the '#'. Nullopt for a comment that is none of ours; where it seems meant to be, that is reported.
std::optional<Expectation> read(std::string_view text, Span span, Diagnostics& diagnostics) {
  const Tagged comment = tagged(text);
  std::optional<Expectation> expectation;
  if (comment.word == "expect") expectation = read_value(Expectation::Kind::value, span, trim(comment.rest));
  if (comment.word == "expect-grad") expectation = read_value(Expectation::Kind::gradient, span, trim(comment.rest));
  if (comment.word == "expect-error") expectation = Expectation{Expectation::Kind::error, span, trim(comment.rest), {}, {}};
  if (expectation) return expectation;
  const std::vector<std::string> words{"expect", "expect-grad", "expect-error"};
  std::string lower = comment.word;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool is_ours = std::find(words.begin(), words.end(), lower) != words.end() ||
                       (text.starts_with("# expect") && (text.size() == 8 || !std::isalpha(static_cast<unsigned char>(text[8]))));
  // `# expext: J = 2` is a slip; `# except: when …` is prose.
  const bool is_value = comment.rest.find('=') != std::string_view::npos || trim(comment.rest).starts_with("E0");
  const std::string near = is_ours || !is_value ? std::string() : closest_match(lower, words);
  if (is_ours)
    diagnostics.error(Code::E0101, span, "this `# expect` comment cannot be read").with_help(std::string(kHelp));
  else if (!near.empty())
    diagnostics.error(Code::E0101, span, fmt::format("`{}` is no word of a test", comment.word))
        .with_help(fmt::format("did you mean `# {}:`?", near));
  return std::nullopt;
}

double as_double(const nlohmann::json& value) {
  if (value.is_string()) return value == "nan" ? NAN : value == "inf" ? INFINITY : -INFINITY;
  return value.is_boolean() ? value.get<bool>() : value.get<double>();
}

// The elements of nested arrays, row by row; nullopt when they do not have the shape `sizes`.
std::optional<std::vector<double>> flatten(const nlohmann::json& value, std::span<const std::int64_t> sizes) {
  if (sizes.empty()) return value.is_primitive() && !value.is_null() ? std::optional(std::vector{as_double(value)}) : std::nullopt;
  if (!value.is_array() || static_cast<std::int64_t>(value.size()) != sizes[0]) return std::nullopt;
  std::vector<double> elements;
  for (const auto& item : value) {
    auto inner = flatten(item, sizes.subspan(1));
    if (!inner) return std::nullopt;
    elements.insert(elements.end(), inner->begin(), inner->end());
  }
  return elements;
}

bool close(double expected, double actual, double tolerance) {
  if (std::isnan(expected) || std::isinf(expected)) return expected == actual || (std::isnan(expected) && std::isnan(actual));
  return std::abs(expected - actual) <= tolerance * (1 + std::abs(expected));
}

}  // namespace

std::vector<Expectation> read_expectations(const SourceMap& sources, FileId file, Diagnostics& diagnostics) {
  std::vector<Expectation> expectations;
  std::string_view text = sources.file(file).text;
  std::uint32_t lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (std::uint32_t number = 1; number <= lines; ++number) {
    std::string_view line = sources.line_text(file, number);
    std::size_t at = line.find('#');
    if (at == std::string_view::npos) continue;
    std::uint32_t column = static_cast<std::uint32_t>(code_point_count(line.substr(0, at))) + 1;
    std::uint32_t end = column + static_cast<std::uint32_t>(code_point_count(line.substr(at)));
    Span span{file, number, column, number, end};
    if (std::optional<Expectation> expectation = read(line.substr(at), span, diagnostics)) expectations.push_back(std::move(*expectation));
  }
  return expectations;
}

std::string mismatch(const Expectation& expectation, const runtime::Tensor& actual, double tolerance) {
  std::vector<std::int64_t> sizes = actual.type().sizes();
  std::optional<std::vector<double>> expected = flatten(expectation.value, sizes);
  if (!expected) return fmt::format("`{}` is {}, which has another shape", expectation.name, type_text(actual.type()));
  for (std::int64_t i = 0; i < actual.count(); ++i) {
    double wanted = (*expected)[i];
    if (close(wanted, actual.real_at(i), expectation.within.value_or(tolerance))) continue;
    std::string index;
    for (std::size_t axis = sizes.size(), rest = i; axis-- > 0; rest /= sizes[axis])
      index = fmt::format("{}{}{}", rest % sizes[axis], index.empty() ? "" : ", ", index);
    return fmt::format("`{}{}` is {}, not {}", expectation.name, index.empty() ? "" : "[" + index + "]", runtime::element_text(actual, i),
                       runtime::number_text(wanted));
  }
  return {};
}

}  // namespace bpc::tool
