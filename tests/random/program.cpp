#include "tests/random/program.h"

#include <fmt/format.h>

namespace bpc::test {

namespace {

// The marks of `either`: characters that no script holds.
constexpr char kEither = '\1', kOr = '\2', kEnd = '\3';

// Appends what one side sees of text[at..], up to the end of the choice that is open, if any. Returns where it stopped.
std::size_t read_side(std::string_view text, std::size_t at, bool twin, bool shown, std::string& out) {
  for (; at < text.size() && text[at] != kOr && text[at] != kEnd; ++at) {
    if (text[at] != kEither) {
      if (shown) out += text[at];
      continue;
    }
    at = read_side(text, at + 1, twin, shown && !twin, out);
    at = read_side(text, at + 1, twin, shown && twin, out);
  }
  return at;
}

void write(const std::vector<Line>& lines, std::size_t depth, bool twin, std::string& out) {
  const std::string indent(2 * depth, ' ');
  for (const Line& line : lines) {
    if (twin && line.unrolled) {
      for (int value : line.unrolled->values) {
        if (!line.unrolled->index.empty()) out += indent + line.unrolled->index + " : i32 = " + std::to_string(value) + "\n";
        write(line.body, depth, twin, out);
      }
      continue;
    }
    std::string text;
    read_side(line.text, 0, twin, true, text);
    if (line.block && text.empty()) {
      write(line.body, depth, twin, out);
      continue;
    }
    out += indent + text;
    if (line.block) {
      out += " {\n";
      write(line.body, depth + 1, twin, out);
      out += indent + "}";
    }
    if (!line.otherwise.empty()) {
      out += " else {\n";
      write(line.otherwise, depth + 1, twin, out);
      out += indent + "}";
    }
    out += "\n";
  }
}

class Shrinker {
 public:
  Shrinker(Program program, const std::function<bool(const Program&)>& fails) : program_(std::move(program)), fails_(fails) {}

  Program run() {
    while (cut(program_.lines)) {
    }
    return std::move(program_);
  }

 private:
  // Keeps a change to `lines`, which are part of the program, if it still fails.
  bool attempt(std::vector<Line>& lines, std::vector<Line> changed) {
    std::swap(lines, changed);
    if (fails_(program_)) return true;
    std::swap(lines, changed);
    return false;
  }

  bool cut(std::vector<Line>& lines) {
    bool any = false;
    for (std::size_t i = lines.size(); i-- > 0;) {
      bool gone = without(lines, i);
      any |= gone;
      if (!gone) any |= simplify(lines, i);
    }
    return any;
  }

  // The line dropped, or the inside of a block in its place.
  bool without(std::vector<Line>& lines, std::size_t at) {
    std::vector<Line> changed = lines;
    const auto place = changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
    if (attempt(lines, changed)) return true;
    for (const auto* inside : {&lines[at].body, &lines[at].otherwise}) {
      std::vector<Line> opened(changed.begin(), place);
      opened.insert(opened.end(), inside->begin(), inside->end());
      opened.insert(opened.end(), place, changed.end());
      if (!inside->empty() && attempt(lines, std::move(opened))) return true;
    }
    return false;
  }

  bool simplify(std::vector<Line>& lines, std::size_t at) {
    bool any = false;
    if (lines[at].unrolled) {
      std::vector<Line> changed = lines;
      changed[at].unrolled.reset();
      any = attempt(lines, std::move(changed));
    }
    if (lines[at].text.find(kEither) != std::string::npos) {
      std::vector<Line> changed = lines;
      changed[at].text.clear();
      read_side(lines[at].text, 0, false, true, changed[at].text);
      any |= attempt(lines, std::move(changed));
    }
    const std::vector<std::string> simpler = lines[at].simpler;
    for (std::size_t i = 0; i < simpler.size(); ++i) {
      std::vector<Line> changed = lines;
      changed[at].text = simpler[i];
      changed[at].simpler.resize(i);
      if (attempt(lines, std::move(changed))) {
        any = true;
        break;
      }
    }
    any |= cut(lines[at].body);
    return cut(lines[at].otherwise) || any;
  }

  Program program_;
  const std::function<bool(const Program&)>& fails_;
};

}  // namespace

std::string either(std::string_view script, std::string_view twin) {
  return fmt::format("{}{}{}{}{}", kEither, script, kOr, twin, kEnd);
}

std::string Program::text(Side side) const {
  std::string out;
  write(lines, 0, side == Side::twin, out);
  if (side == Side::mistaken) write(mistake, 0, false, out);
  return out;
}

Program shrink(Program program, const std::function<bool(const Program&)>& fails) {
  return Shrinker(std::move(program), fails).run();
}

}  // namespace bpc::test
