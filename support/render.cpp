// Diagnostics as text for people and as JSON for tools.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "support/diagnostics.h"

namespace bpc {

namespace {

constexpr std::size_t kTabWidth = 4;
// Of a longer source line a part is shown, which starts this far before the first mark.
constexpr std::size_t kMaxWidth = 200, kContext = 40;

// Terminal cells of a code point: East Asian wide ones take two, combining marks none.
std::size_t cell_width(char32_t c) {
  if ((c >= 0x300 && c <= 0x36f) || (c >= 0x20d0 && c <= 0x20ff) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f) ||
      c == 0xfeff)
    return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                    (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
  return wide ? 2 : 1;
}

char32_t decode(std::string_view bytes) {
  auto first = static_cast<unsigned char>(bytes[0]);
  if (bytes.size() == 1) return first < 0x80 ? first : 0xfffd;
  char32_t c = first & (0x7f >> bytes.size());
  for (char continuation : bytes.substr(1)) c = c << 6 | (static_cast<unsigned char>(continuation) & 0x3f);
  return c;
}

// Whether a terminal would obey it rather than show it: control characters, and those that turn the direction of writing.
bool is_obeyed(char32_t c) {
  return (c < 0x20 && c != '\n') || (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

// A source line made fit for a terminal, and the cell at which each of its code points starts (one more entry for the end).
struct ShownLine {
  std::string text;
  std::vector<std::size_t> cells;

  // `first` is the column of the first mark.
  ShownLine(std::string_view line, std::uint32_t first) {
    std::size_t cell = 0, column = 0;
    const std::size_t skipped = code_point_count(line) > kMaxWidth && first > kContext ? first - kContext : 0;
    if (skipped > 0) text = "…", cell = 1;
    for (std::size_t at = 0, length; at < line.size(); at += length) {
      length = code_point_length(line, at);
      char32_t c = decode(line.substr(at, length));
      cells.push_back(cell);
      if (column++ < skipped) continue;
      if (cell >= kMaxWidth) {
        text += "…";
        break;
      }
      if (c == '\t') {
        text.append(kTabWidth, ' ');
        cell += kTabWidth;
      } else if (is_obeyed(c) || c == 0xfffd) {
        text += "\ufffd";
        ++cell;
      } else {
        text += line.substr(at, length);
        cell += cell_width(c);
      }
    }
    cells.push_back(cell);
    while (!text.empty() && text.back() == ' ') text.pop_back();
  }

  std::size_t cell(std::uint32_t column) const {
    std::size_t index = column > 0 ? column - 1 : 0;
    return index < cells.size() ? cells[index] : cells.back();
  }
};

// A message may hold a name or a text of any length, with any bytes.
std::string fit(std::string_view text) {
  constexpr std::size_t kMaxText = 1000;  // code points
  std::string shown;
  for (std::size_t at = 0, length, count = 0; at < text.size(); at += length, ++count) {
    if (count == kMaxText) return shown + "…";
    length = code_point_length(text, at);
    const char32_t c = decode(text.substr(at, length));
    const bool is_broken = length == 1 && c == 0xfffd;
    if (is_broken || is_obeyed(c))
      shown += c < 0x80 || is_broken ? fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]))
                                     : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      shown += text.substr(at, length);
  }
  return shown;
}

struct Mark {
  std::size_t begin, end;  // cells
  std::string text;
};

class Renderer {
 public:
  Renderer(const SourceMap& sources, bool color) : sources_(sources), color_(color) {}

  std::string run(const Diagnostic& diagnostic) {
    const bool error = diagnostic.severity == Severity::error;
    accent_ = error ? "31" : "33";
    out_ += paint(fmt::format("{}[{}]", error ? "error" : "warning", code_info(diagnostic.code).name), accent_);
    out_ += paint(": " + fit(diagnostic.message), "") + "\n";

    // Which spans to show: the labels, and the primary place if they leave it out.
    std::vector<Label> labels;
    for (const Label& label : diagnostic.labels)
      if (known(label.span)) labels.push_back(label);
    const Span& primary = diagnostic.span;
    const bool placed = known(primary);
    if (placed && std::none_of(labels.begin(), labels.end(),
                               [&](const Label& label) { return label.span.file == primary.file && label.span.line == primary.line; }))
      labels.push_back({primary, ""});

    std::map<std::pair<bool, FileId>, std::map<std::uint32_t, std::vector<Label>>> files;  // the primary's file comes first
    std::uint32_t last_line = 0;
    for (const Label& label : labels) {
      files[{!placed || label.span.file != primary.file, label.span.file}][label.span.line].push_back(label);
      last_line = std::max(last_line, label.span.line);
    }
    gutter_ = placed || !labels.empty() ? std::to_string(last_line).size() + 2 : 1;
    for (const auto& [key, lines] : files) {
      const bool main = placed && key.second == primary.file;
      show_file(key.second, main ? primary : lines.begin()->second.front().span, lines);
    }
    if (!diagnostic.help.empty()) fact("help", fit(diagnostic.help));
    for (const std::string& note : diagnostic.notes) fact("note", fit(note));
    return std::move(out_);
  }

 private:
  bool known(const Span& span) const { return span.valid() && span.file < sources_.size(); }

  // Bold, in an ANSI colour ("" keeps the terminal's).
  std::string paint(const std::string& text, const std::string& color) const {
    if (!color_) return text;
    return fmt::format("\x1b[1{}m{}\x1b[0m", color.empty() ? "" : ";" + color, text);
  }
  std::string blue(const std::string& text) const { return paint(text, "34"); }

  void line(const std::string& margin, std::string text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out_ += blue(fmt::format("{:>{}} |", margin, gutter_ - 1)) + (text.empty() ? "" : " " + text) + "\n";
  }

  void fact(const std::string& kind, const std::string& text) {
    const std::string indent = fmt::format("\n{:{}}", "", gutter_ + kind.size() + 4);
    out_ += fmt::format("{:{}}{} {}: ", "", gutter_, blue("="), paint(kind, ""));
    for (char c : text) c == '\n' ? void(out_ += indent) : void(out_ += c);
    out_ += "\n";
  }

  void show_file(FileId file, const Span& at, const std::map<std::uint32_t, std::vector<Label>>& lines) {
    out_ += fmt::format("{:{}}{} {}:{}:{}\n", "", gutter_ - 1, blue("-->"), fit(sources_.file(file).path), at.line, at.column);
    line("", "");
    std::uint32_t last = 0;
    for (const auto& [number, labels] : lines) {
      if (last != 0 && number > last + 1) out_ += blue(fmt::format("{:{}}...", "", gutter_ - 1)) + "\n";
      last = number;
      show_line(file, number, labels);
    }
  }

  void show_line(FileId file, std::uint32_t number, const std::vector<Label>& labels) {
    std::uint32_t first = UINT32_MAX;
    for (const Label& label : labels) first = std::min(first, label.span.column);
    const ShownLine shown(sources_.line_text(file, number), first);
    line(std::to_string(number), shown.text);

    std::vector<Mark> marks;
    for (const Label& label : labels) {
      std::size_t begin = shown.cell(label.span.column);
      std::size_t end = label.span.end_line == number ? shown.cell(label.span.end_column) : shown.cells.back();
      marks.push_back({begin, std::max(end, begin + 1), fit(label.text)});
    }
    std::stable_sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.begin < b.begin; });

    std::string carets;
    for (const Mark& mark : marks) {
      if (carets.size() < mark.end) carets.resize(mark.end, ' ');
      std::fill(carets.begin() + static_cast<std::ptrdiff_t>(mark.begin), carets.begin() + static_cast<std::ptrdiff_t>(mark.end), '^');
    }
    std::string beside;
    if (marks.back().end == carets.size()) std::swap(beside, marks.back().text);
    line("", paint(carets, accent_) + (beside.empty() ? "" : " " + paint(beside, accent_)));

    // The other texts hang from their carets, the rightmost first.
    std::erase_if(marks, [](const Mark& mark) { return mark.text.empty(); });
    if (!marks.empty()) line("", paint(bars(marks, marks.size()), accent_));
    for (std::size_t i = marks.size(); i-- > 0;) {
      std::string left = bars(marks, i);
      left.resize(std::max(left.size(), marks[i].begin), ' ');
      line("", paint(left + marks[i].text, accent_));
    }
  }

  static std::string bars(const std::vector<Mark>& marks, std::size_t count) {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
      result.resize(std::max(result.size(), marks[i].begin + 1), ' ');
      result[marks[i].begin] = '|';
    }
    return result;
  }

  const SourceMap& sources_;
  bool color_;
  std::string accent_, out_;
  std::size_t gutter_ = 1;  // cells left of a `|`, the space before it included
};

// JSON holds UTF-8 only; a stray byte becomes U+FFFD.
std::string utf8(std::string_view text) {
  std::string result;
  for (std::size_t at = 0, length; at < text.size(); at += length) {
    length = code_point_length(text, at);
    if (length == 1 && static_cast<unsigned char>(text[at]) >= 0x80)
      result += "\ufffd";
    else
      result += text.substr(at, length);
  }
  return result;
}

void put_place(nlohmann::json& object, const Span& span, const SourceMap& sources) {
  const bool known = span.valid() && span.file < sources.size();
  auto number = [&](std::uint32_t value) { return known ? nlohmann::json(value) : nlohmann::json(nullptr); };
  object["file"] = known ? nlohmann::json(utf8(sources.file(span.file).path)) : nlohmann::json(nullptr);
  object["line"] = number(span.line);
  object["column"] = number(span.column);
  object["end_line"] = number(span.end_line);
  object["end_column"] = number(span.end_column);
}

}  // namespace

std::string render_human(const Diagnostic& diagnostic, const SourceMap& sources, bool color) {
  return Renderer(sources, color).run(diagnostic);
}

nlohmann::json render_json(const Diagnostic& diagnostic, const SourceMap& sources) {
  const CodeInfo& info = code_info(diagnostic.code);
  nlohmann::json result;
  result["severity"] = diagnostic.severity == Severity::error ? "error" : "warning";
  result["code"] = std::string(info.name);
  result["title"] = std::string(info.title);
  result["message"] = utf8(diagnostic.message);
  put_place(result, diagnostic.span, sources);
  result["labels"] = nlohmann::json::array();
  for (const Label& label : diagnostic.labels) {
    nlohmann::json each{{"text", utf8(label.text)}};
    put_place(each, label.span, sources);
    result["labels"].push_back(std::move(each));
  }
  result["help"] = utf8(diagnostic.help);
  result["notes"] = nlohmann::json::array();
  for (const std::string& note : diagnostic.notes) result["notes"].push_back(utf8(note));
  return result;
}

}  // namespace bpc
