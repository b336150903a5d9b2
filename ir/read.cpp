#include "ir/read.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "ir/scanner.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace bpc::ir {

namespace {

class Reader {
 public:
  Reader(std::string_view text, FileId file, Diagnostics& diagnostics) : scan_(text, file, diagnostics) {}

  std::optional<Module> run() {
    scan_.expect_word("module");
    scan_.expect_word("real");
    scan_.expect("=");
    if (auto real = element_from_name(scan_.word()); real && is_real(*real))
      module_.real = *real;
    else
      scan_.fail("`f32` or `f64` should stand here");
    scan_.expect_word("seed");
    scan_.expect("=");
    module_.seed = scan_.integer<std::uint64_t>();
    while (scan_.accept_word("file")) {
      if (scan_.integer<std::size_t>() != module_.files.size()) scan_.fail("files are numbered from 0");
      module_.files.push_back(scan_.string());
    }
    while (!scan_.at_end()) read_function();
    if (!scan_.failed() && !main_) scan_.fail("a module has a function main");
    if (scan_.failed()) return std::nullopt;
    if (initial_) module_.initial = std::move(*initial_);
    module_.main = std::move(*main_);
    return std::move(module_);
  }

 private:
  using Names = std::unordered_map<std::string, ValueId>;

  // ---- functions ----

  void read_function() {
    std::size_t start = scan_.position();
    scan_.expect_word("func");
    function_ = Function();
    names_.clear();
    const std::string name(scan_.word());
    std::optional<Function>* read = name == "init" ? &initial_ : name == "main" ? &main_ : nullptr;
    if (!read) return scan_.fail_at(start, fmt::format("a module has the functions init and main, but no {}", name));
    function_.name = name;
    if (scan_.accept_word("loss")) function_.loss = scan_.string();
    scan_.expect("{");
    bool in_outputs = false;
    while (!scan_.failed() && !scan_.accept("}")) {
      if (scan_.accept_word("output")) {
        read_output();
        in_outputs = true;
      } else if (in_outputs) {
        scan_.fail("outputs end a function");
      } else {
        read_op(function_.body(), 0);
      }
      scan_.end_line();
    }
    if (scan_.failed()) return;
    if (*read) return scan_.fail_at(start, "a second function " + name);
    // What is left are facts about the whole function, such as paths that repeat; each op was checked where it stands.
    if (auto problems = verify(function_); !problems.empty()) return scan_.fail_at(start, problems[0]);
    *read = std::move(function_);
  }

  void read_output() {
    auto kind = scan_.accept_word("value") ? Output::Kind::value : Output::Kind::gradient;
    if (kind == Output::Kind::gradient) scan_.expect_word("gradient");
    std::string path = scan_.string();
    const ValueId value = read_use(function_.body());
    std::string donor = scan_.accept_word("in") ? scan_.string() : std::string();
    function_.outputs.push_back({kind, std::move(path), value, std::move(donor)});
  }

  void read_parameter(Parameter::Kind kind, const std::string& text, const std::string& name) {
    std::string path = scan_.string();
    scan_.expect(":");
    ValueId value = function_.add_parameter(kind, path, read_type());
    function_.value(value).name = name;
    if (scan_.accept_word("of")) function_.parameters.back().classes = scan_.integer<std::int64_t>();
    if (scan_.accept_word("from")) function_.parameters.back().source = scan_.string();
    function_.parameters.back().origin = read_origin();
    names_.insert_or_assign(text, value);
  }

  // ---- ops ----

  struct Definition {
    std::string text, name;
  };

  // A name for a value to be defined, which must be new in the function.
  Definition read_definition() {
    Definition definition;
    std::size_t start = scan_.position();
    definition.text = scan_.value_text(definition.name);
    if (!scan_.failed() && names_.contains(definition.text))
      scan_.fail_at(start, fmt::format("a second definition of %{}", definition.text));
    return definition;
  }

  void define(const Definition& definition, ValueId value) {
    function_.value(value).name = definition.name;
    if (!names_.emplace(definition.text, value).second) scan_.fail(fmt::format("a second definition of %{}", definition.text));
  }

  ValueId read_use(BlockId block) {
    std::size_t start = scan_.position();
    std::string name, text = scan_.value_text(name);
    if (scan_.failed()) return {};
    auto found = names_.find(text);
    if (found == names_.end()) {
      scan_.fail_at(start, fmt::format("there is no %{} yet", text));
      return {};
    }
    if (!is_enclosed(function_, block, function_.value(found->second).block))
      scan_.fail_at(start, fmt::format("%{} belongs to another region", text));
    return found->second;
  }

  std::vector<ValueId> read_uses(BlockId block) {
    std::vector<ValueId> values;
    if (!scan_.more_on_line() || !scan_.at("%")) return values;
    do values.push_back(read_use(block));
    while (scan_.accept(","));
    return values;
  }

  void read_op(BlockId block, std::size_t depth) {
    std::size_t start = scan_.position();
    std::vector<Definition> definitions;
    if (scan_.at("%")) {
      do definitions.push_back(read_definition());
      while (scan_.accept(","));
      scan_.expect("=");
      for (const auto& [kind, word] :
           {std::pair{Parameter::Kind::input, "input"}, {Parameter::Kind::param, "param"}, {Parameter::Kind::fitted, "fitted"}}) {
        if (!scan_.accept_word(word)) continue;
        if (depth > 0 || definitions.size() > 1) return scan_.fail_at(start, "a parameter stands alone, at the top of a function");
        return read_parameter(kind, definitions[0].text, definitions[0].name);
      }
    }
    std::size_t word_at = scan_.position();
    std::string_view word = scan_.word();
    auto code = op_from_name(word);
    if (!code) return scan_.fail_at(word_at, word.empty() ? "an op should stand here" : fmt::format("there is no op `{}`", word));
    bool has_regions = op_info(*code).rule == ShapeRule::region;
    Op op{*code, read_uses(block), {}, has_regions ? Attributes() : with_defaults(*code, read_attributes()), {}, {}, block};
    std::vector<Type> types;
    if (!definitions.empty()) {
      scan_.expect(":");
      do types.push_back(read_type());
      while (scan_.accept(","));
    }
    op.origin = read_origin();
    if (types.size() != definitions.size()) scan_.fail_at(start, "as many types as results should stand here");
    if (scan_.failed()) return;
    if (*code == Opcode::constant && !types.empty()) settle_reals(op.attrs, types[0].element);
    OpId id = function_.add_op(block, std::move(op), types);
    if (has_regions) read_regions(id, depth + 1);
    if (scan_.failed()) return;
    for (std::size_t i = 0; i < definitions.size(); ++i) define(definitions[i], function_.op(id).results[i]);
    if (std::string problem = op_problem(function_, function_.op(id)); !problem.empty())
      scan_.fail_at(start, fmt::format("{} {}", op_info(*code).name, problem));
  }

  // The numbers of a real constant may look whole, and those of f32 are written in the digits of f32.
  static void settle_reals(Attributes& attrs, Element element) {
    if (!is_real(element)) return;
    auto settled = [&](double value) { return element == Element::f32 ? static_cast<double>(static_cast<float>(value)) : value; };
    if (const AttrValue* value = attrs.find(Attr::value)) {
      const auto* whole = std::get_if<std::int64_t>(value);
      attrs.set(Attr::value, settled(whole ? static_cast<double>(*whole) : std::get<double>(*value)));
    }
    if (attrs.find(Attr::reals)) {
      std::vector<double> reals = attrs.reals(Attr::reals);
      for (double& real : reals) real = settled(real);
      attrs.set(Attr::reals, std::move(reals));
    }
  }

  void read_regions(OpId op, std::size_t depth) {
    if (depth > kDeepestRegion) return scan_.fail("regions are nested too deeply");
    Opcode code = function_.op(op).code;
    read_region(op, depth);
    if (region_count(code) == 1) return;
    scan_.expect_word(region_word(code));
    read_region(op, depth);
  }

  void read_region(OpId op, std::size_t depth) {
    if (scan_.failed()) return;
    BlockId block = function_.add_block(op);
    if (scan_.accept("(")) {
      do {
        Definition definition = read_definition();
        scan_.expect(":");
        Type type = read_type();
        if (!scan_.failed()) define(definition, function_.add_argument(block, std::move(type), definition.name));
      } while (scan_.accept(","));
      scan_.expect(")");
    }
    scan_.expect("{");
    while (!scan_.failed() && !scan_.accept_word("yield")) {
      read_op(block, depth);
      scan_.end_line();
    }
    std::vector<ValueId> yields = read_uses(block);
    if (scan_.failed()) return;
    function_.block(block).yields = std::move(yields);
    scan_.expect("}");
  }

  // ---- types, attributes, origins ----

  Type read_type() {
    std::size_t start = scan_.position();
    std::string_view word = scan_.word();
    if (word == "tape") {
      scan_.expect("<");
      if (scan_.peek_word() == "tape") scan_.fail("a tape holds tensors");
      if (scan_.failed()) return Type();
      Type entry = read_type();
      scan_.expect(">");
      return entry.as_tape();
    }
    auto element = element_from_name(word);
    if (!element) {
      scan_.fail_at(start, "a type should stand here");
      return Type();
    }
    Type type(*element);
    if (!scan_.more_on_line() || !scan_.accept("[")) return type;
    do {
      Dim dim;
      if (std::string_view name = scan_.peek_word(); is_identifier(name)) {
        dim.name.text = scan_.word();
        scan_.expect("=");
      }
      dim.size = scan_.integer<std::int64_t>();
      type.dims.push_back(std::move(dim));
      if (const std::string wrong = shape_problem(type.dims); !wrong.empty()) scan_.fail_at(start, "a type has " + wrong);
      if (scan_.failed()) return Type();
    } while (scan_.accept(","));
    scan_.expect("]");
    return type;
  }

  template <class Read>
  auto read_list(Read read) {
    std::vector<decltype(read())> values;
    scan_.expect("[");
    if (scan_.accept("]")) return values;
    do values.push_back(read());
    while (scan_.accept(","));
    scan_.expect("]");
    return values;
  }

  AttrValue read_attribute(AttrKind kind) {
    switch (kind) {
      case AttrKind::boolean: {
        bool value = scan_.accept_word("true");
        if (!value) scan_.expect_word("false");
        return value;
      }
      case AttrKind::integer:
        return scan_.integer<std::int64_t>();
      case AttrKind::real:
        return scan_.real();
      case AttrKind::number:
        return scan_.number();
      case AttrKind::string:
        return scan_.string();
      case AttrKind::integers:
        return read_list([&] { return scan_.integer<std::int64_t>(); });
      case AttrKind::reals:
        return read_list([&] { return scan_.real(); });
      case AttrKind::strings:
        return read_list([&] { return scan_.string(); });
    }
    return false;
  }

  Attributes read_attributes() {
    Attributes attrs;
    if (!scan_.more_on_line() || !scan_.accept("{")) return attrs;
    do {
      std::size_t start = scan_.position();
      auto attr = attr_from_name(scan_.word());
      if (!attr || attrs.find(*attr)) {
        scan_.fail_at(start, "an attribute should stand here, once");
        return attrs;
      }
      scan_.expect("=");
      attrs.set(*attr, read_attribute(attr_info(*attr).kind));
    } while (scan_.accept(","));
    scan_.expect("}");
    return attrs;
  }

  Span read_span() {
    Span span;
    if (scan_.accept("?")) return span;
    auto number = [&](const char* then) {
      auto value = scan_.integer<std::uint32_t>();
      if (*then) scan_.expect(then);
      return value;
    };
    span.file = number(":");
    span.line = number(":");
    span.column = number("-");
    span.end_line = number(":");
    span.end_column = number("");
    if (!scan_.failed() && span.file >= module_.files.size()) scan_.fail("an origin names a file that is not listed");
    return span;
  }

  std::vector<Span> read_spans() {
    std::vector<Span> spans;
    do spans.push_back(read_span());
    while (scan_.accept(","));
    return spans;
  }

  OriginId read_origin() {
    if (!scan_.more_on_line() || !scan_.accept("@")) return {};
    Origin origin;
    origin.span = read_span();
    if (scan_.accept_word("in")) origin.calls = read_spans();
    if (scan_.accept_word("path")) origin.path = scan_.string();
    if (scan_.accept_word("by")) origin.rule = scan_.string();
    if (scan_.accept_word("also")) origin.joined = read_spans();
    return function_.add_origin(std::move(origin));
  }

  Scanner scan_;
  Module module_;
  std::optional<Function> initial_, main_;  // those that were read
  Function function_;
  Names names_;
};

}  // namespace

std::optional<Module> read(const SourceMap& sources, FileId file, Diagnostics& diagnostics) {
  return Reader(sources.file(file).text, file, diagnostics).run();
}

}  // namespace bpc::ir
