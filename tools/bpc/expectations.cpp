#include "tools/bpc/expectations.h"

#include "runtime/number_text.h"

namespace bpc::tool {

namespace {

std::string trim(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

// Removes `prefix` from the front of `text`.
bool strip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
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

// `text` starts at the '#'.
std::optional<Expectation> read(std::string_view text, Span span) {
  if (strip(text, "# expect:")) return read_value(Expectation::Kind::value, span, trim(text));
  if (strip(text, "# expect-grad:")) return read_value(Expectation::Kind::gradient, span, trim(text));
  if (!strip(text, "# expect-error:")) return std::nullopt;
  return Expectation{Expectation::Kind::error, span, trim(text), {}, {}};
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
    std::size_t at = line.find("# expect");
    if (at == std::string_view::npos) continue;
    std::uint32_t column = static_cast<std::uint32_t>(code_point_count(line.substr(0, at))) + 1;
    std::uint32_t end = column + static_cast<std::uint32_t>(code_point_count(line.substr(at)));
    Span span{file, number, column, number, end};
    if (std::optional<Expectation> expectation = read(line.substr(at), span)) {
      expectations.push_back(std::move(*expectation));
    } else {
      diagnostics.error(Code::E0101, span, "this `# expect` comment cannot be read")
          .with_help(
              "write `# expect: NAME = VALUE`, `# expect: NAME = VALUE within 1e-6`, `# expect-grad: PARAM = VALUE` or "
              "`# expect-error: E0201`");
    }
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
