#include "frontend/format/layout.h"

#include <algorithm>

#include "support/source.h"

namespace bpc::frontend {

namespace {

struct Width {
  std::size_t cells = 0;
  bool ends = false;  // a line ends there for sure
};

bool is_broken_by_author(const Group& group) {
  return std::any_of(group.parts.begin(), group.parts.end(), [](const Doc& part) {
    const auto* place = std::get_if<Break>(&part.node);
    return place && place->author;
  });
}

// Where a stretch of parts ends: at a line end of the author's; also where a bracket opens that can be broken after; at any Break.
enum class Stop : std::uint8_t { author, bracket, any };

// Of parts[from..) up to where they stop, or past the limit; groups among them stop as `inside` says.
Width width(const std::vector<Doc>& parts, std::size_t from, Stop stop, Stop inside, std::size_t limit) {
  Width total;
  for (std::size_t i = from; i < parts.size() && !total.ends && total.cells <= limit; ++i) {
    if (const auto* text = std::get_if<std::string>(&parts[i].node)) {
      total.cells += code_point_count(*text);
    } else if (const auto* place = std::get_if<Break>(&parts[i].node)) {
      total.ends = place->author || stop == Stop::any || (stop == Stop::bracket && place->where == Break::Where::opening);
      if (!total.ends) total.cells += place->flat.size();
    } else {
      Width inner = width(std::get<Group>(parts[i].node).parts, 0, inside, inside, limit);
      total.cells += inner.cells;
      total.ends = inner.ends;
    }
  }
  return total;
}

class Printer {
 public:
  Printer(std::size_t indent, std::size_t limit) : lines_{{std::string(indent, ' ')}}, column_(indent), limit_(limit) {}

  // `tail` is the width of what follows the group on its last line.
  void print(const Group& group, std::size_t tail, bool in_brackets) {
    const Width flat = width(group.parts, 0, Stop::author, Stop::author, limit_);
    const bool fill = !is_broken_by_author(group) && column_ + flat.cells + (flat.ends ? 0 : tail) > limit_;
    // Contents are indented from the line that their bracket is on, or hang from it if they start beside it. The rest of a chain does the
    // same.
    const std::size_t outer = indentation();
    std::size_t inner = group.bracketed || !in_brackets ? outer + kIndent : column_;
    for (std::size_t i = 0; i < group.parts.size(); ++i) {
      const Doc& part = group.parts[i];
      auto rest = [&](Stop stop, Stop inside) {
        Width following = width(group.parts, i + 1, stop, inside, limit_);
        return following.cells + (following.ends ? 0 : tail);
      };
      if (const auto* text = std::get_if<std::string>(&part.node)) {
        add(*text);
      } else if (const auto* place = std::get_if<Break>(&part.node)) {
        const bool between = place->where == Break::Where::between;
        for (const Break::Note& note : place->notes) write(note, inner);
        const bool ends = place->author || (fill && (!between || column_ + place->flat.size() + rest(Stop::any, Stop::author) > limit_));
        if (ends)
          end_line(place->where == Break::Where::closing ? outer : inner);
        else
          add(place->flat);
        if (!ends && place->where == Break::Where::opening) inner = column_;
      } else {
        print(std::get<Group>(part.node), rest(fill ? Stop::any : Stop::bracket, Stop::bracket), in_brackets || group.bracketed);
      }
    }
  }

  std::vector<Line> take() { return std::move(lines_); }

 private:
  void add(const std::string& text) {
    lines_.back().text += text;
    column_ += code_point_count(text);
  }
  void end_line(std::size_t indent) {
    std::string& text = lines_.back().text;
    while (!text.empty() && text.back() == ' ') text.pop_back();
    lines_.push_back({std::string(indent, ' ')});
    column_ = indent;
  }
  void write(const Break::Note& note, std::size_t indent) {
    if (note.beside && lines_.back().comment.empty()) {
      lines_.back().comment = note.text;
    } else {
      end_line(indent);
      lines_.back().text += note.text;
    }
  }
  std::size_t indentation() const { return std::min(lines_.back().text.find_first_not_of(' '), lines_.back().text.size()); }

  std::vector<Line> lines_;
  std::size_t column_, limit_;
};

}  // namespace

std::vector<Line> lay_out_lines(const std::vector<Doc>& parts, std::size_t indent, std::size_t limit) {
  Printer printer(indent, limit);
  printer.print(Group{parts}, 0, false);
  return printer.take();
}

}  // namespace bpc::frontend
