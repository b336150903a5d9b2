#include "frontend/lower/declarations.h"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>

#include "frontend/format/docs.h"
#include "frontend/lower/calls.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/initialisers.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/statements.h"
#include "frontend/lower/training.h"
#include "frontend/lower/types.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Parameter;
using ir::ValueId;

// ---- free dims ----

// Primes, so that arithmetic of stand-ins meets no other size by accident; small enough for products of three.
std::int64_t stand_in(std::size_t index) {
  auto is_prime = [](std::int64_t n) {
    for (std::int64_t d = 2; d * d <= n; ++d)
      if (n % d == 0) return false;
    return true;
  };
  std::int64_t n = 7919;
  while (true) {
    if (is_prime(n) && index-- == 0) return n;
    ++n;
  }
}

// The shape of a nested list as it is written.
std::vector<std::int64_t> written_shape(const Ast& ast, ExprId id) {
  std::vector<std::int64_t> sizes;
  const auto* list = id.valid() ? std::get_if<ListExpr>(&ast.expr(id).node) : nullptr;
  while (list && !list->items.empty()) {
    sizes.push_back(static_cast<std::int64_t>(list->items.size()));
    list = std::get_if<ListExpr>(&ast.expr(list->items[0]).node);
  }
  return sizes;
}

// For a value that has another number of axes than its type.
const char* rank_help(std::size_t declared, std::size_t given) {
  if (declared == 1 && given == 2) return "a selector of one column, such as `[0]`, takes it out of a table";
  if (declared == 2 && given == 1) return "a selector that lists columns, such as `[[0, 1]]`, puts them side by side";
  return "";
}

// The size that the data (or list) given for an input or param gives to the dim, by its declared type.
struct DimSource {
  std::string name;
  std::int64_t size;
};
// One more than the largest whole number of a list as it is written.
std::int64_t written_codes(const Ast& ast, ExprId id) {
  const auto* list = id.valid() ? std::get_if<ListExpr>(&ast.expr(id).node) : nullptr;
  std::int64_t count = 0;
  for (ExprId item : list ? list->items : std::vector<ExprId>{}) {
    const auto* number = std::get_if<NumberExpr>(&ast.expr(item).node);
    count = std::max(count, number && number->integer ? *number->integer + 1 : written_codes(ast, item));
  }
  return count;
}

std::optional<DimSource> dim_from_classes(const Context& c, const Definition* dim, bool are_named) {
  const Ast& ast = *c.program.asts[0];
  for (StmtId id : ast.top) {
    const auto* input = std::get_if<InputStmt>(&ast.stmt(id).node);
    if (!input || !input->of.valid() || c.program.names[0]->of(input->of) != dim) continue;
    const auto classes = c.options.classes.find(input->name.text);
    if (classes == c.options.classes.end() && !are_named)
      if (const std::int64_t count = written_codes(ast, input->value)) return DimSource{input->name.text, count};
    if (classes != c.options.classes.end() && classes->second.are_named == are_named)
      return DimSource{input->name.text, classes->second.count};
  }
  return std::nullopt;
}

std::optional<DimSource> dim_from_data(const Context& c, const Definition* dim) {
  if (auto named = dim_from_classes(c, dim, true)) return named;
  const Ast& ast = *c.program.asts[0];
  for (StmtId id : ast.top) {
    const StmtNode& node = ast.stmt(id).node;
    const auto* input = std::get_if<InputStmt>(&node);
    const auto* param = std::get_if<ParamStmt>(&node);
    if (!input && !param) continue;
    const std::string& name = input ? input->name.text : param->name.text;
    const auto& type = input ? input->type : param->type;
    auto bound = c.options.bound.find(name);
    std::vector<std::int64_t> sizes =
        bound != c.options.bound.end() ? bound->second.sizes() : written_shape(ast, input ? input->value : param->value);
    // Of a table for more than two axes, the rows alone are an axis.
    const bool is_table = input && type && sizes.size() == 2 && type->sizes.size() > 2;
    if (!type || (type->sizes.size() != sizes.size() && !is_table)) continue;
    for (std::size_t i = 0; i < (is_table ? 1 : sizes.size()); ++i)
      if (c.program.names[0]->of(type->sizes[i]) == dim) return DimSource{name, sizes[i]};
  }
  return dim_from_classes(c, dim, false);
}

bool mentions(const Context& c, const TypeExpr& type, const Definition* dim) {
  return std::ranges::any_of(type.sizes, [&](ExprId size) { return c.program.names[0]->of(size) == dim; });
}

// E0504, once each, for the inputs that would give the dim its size, if their values had as many axes as their types. False: there are
// none.
bool report_other_rank(Context& c, const Definition* dim) {
  const Ast& ast = *c.program.asts[0];
  bool found = false;
  for (StmtId id : ast.top) {
    const auto* input = std::get_if<InputStmt>(&ast.stmt(id).node);
    const auto given = input ? c.options.bound.find(input->name.text) : c.options.bound.end();
    if (given == c.options.bound.end() || !input->type || !mentions(c, *input->type, dim)) continue;
    found = true;
    if (!c.misfits.insert(input->name.text).second) continue;
    c.error(Code::E0504, input->name.span,
            fmt::format("`{}` is declared {}, and the given value is {}", input->name.text, c.text_of(input->type->span),
                        type_text(given->second)),
            rank_help(input->type->sizes.size(), given->second.rank()));
  }
  return found;
}

std::optional<std::int64_t> free_dim(Context& c, const DimStmt& s) {
  const Definition* dim = c.meaning(s.name);
  if (auto source = dim_from_data(c, dim)) {
    c.dim_sources[dim] = {DimSize::From::data, source->name};
    return source->size;
  }
  if (c.options.stand_in_dims) return stand_in(c.open_dims++);
  if (report_other_rank(c, dim)) return std::nullopt;
  c.error(Code::E0506, s.name.span,
          fmt::format("the free dim `{}` gets its size from data, and no input that has it was given any", s.name.text),
          fmt::format("give data, or a size with `--set {}=…`", s.name.text));
  return std::nullopt;
}

// ---- inputs and params ----

// The dim in a size, as it is written, whose value does not come from `input` itself.
const Definition* foreign_dim(const Context& c, ExprId size, const std::string& input) {
  const ExprNode& node = c.expr(size).node;
  if (std::holds_alternative<NameExpr>(node)) {
    const auto source = c.dim_sources.find(c.meaning(size));
    return source != c.dim_sources.end() && source->second.text != input ? source->first : nullptr;
  }
  const Definition* dim = nullptr;
  for_each_child(node, [&](ExprId child) {
    if (!dim) dim = foreign_dim(c, child, input);
  });
  return dim;
}

// Whether the columns of a table fill the axes behind the first.
bool fills_columns(const Type& declared, const Type& given) {
  return declared.rank() > 2 && given.rank() == 2 && declared.size(0) == given.size(0) && declared.count() == given.count();
}

// E0504 unless the type of a given value fits the declared one. A size that does not fit names what gave it; what data contradict
// although the command line or the script says it, is said once.
bool fits_declared(Context& c, const std::string& name, Span span, const TypeExpr& written, const Type& declared, const Type& given) {
  bool element_fits = is_real(declared.element)
                          ? given.element != Element::boolean
                          : declared.element == given.element || (is_integer(declared.element) && is_integer(given.element));
  bool shape_fits = same_shape(declared, given) || fills_columns(declared, given);
  if (element_fits && shape_fits) return true;
  std::string why, help = rank_help(declared.rank(), given.rank());
  for (std::size_t i = 0; why.empty() && i < given.rank() && given.rank() == declared.rank(); ++i) {
    if (declared.size(i) == given.size(i)) continue;
    const Definition* dim = foreign_dim(c, written.sizes[i], name);
    if (!dim) continue;
    DimSize& from = c.dim_sources.at(dim);
    if (from.is_contradicted) return false;
    from.is_contradicted = from.from != DimSize::From::data;
    why = fmt::format("; {} is {} from `{}`", dim->name, c.find(dim)->item.as<Number>()->integer(), from.text);
    if (const auto data = from.is_free ? dim_from_data(c, dim) : std::nullopt)
      help = fmt::format("without `{}`, {} is {}, from `{}`", from.text, dim->name, data->size, data->name);
  }
  c.error(Code::E0504, span,
          fmt::format("`{}` is declared {}, and the given value is {}{}", name, c.text_of(written.span), type_text(given), why), help);
  return false;
}

// The parameter of "main" for an input or param: its type is the declared one, or that of the given value or of the default.
void declare_parameter(Context& c, Parameter::Kind kind, const Name& name, const std::string& path, const std::optional<TypeExpr>& written,
                       ExprId value, Span span, const std::string& source, std::int64_t classes = 0) {
  auto poison = [&] { c.bind(name, {Poison{}, name.span}, span); };
  bool is_param = kind == Parameter::Kind::param;
  std::optional<Type> declared;
  if (written) {
    declared = to_type(c, *written);
    if (!declared) return poison();
  }
  auto given = c.options.bound.find(path);
  const bool is_cut = !is_param && written && given != c.options.bound.end() && counts_rows(c, *written);
  std::optional<ValueId> initial;
  Type type = declared.value_or(Type(c.module.real));
  if (given != c.options.bound.end()) {
    if (declared && !is_cut && !fits_declared(c, path, name.span, *written, *declared, given->second)) return poison();
    if (!declared) type = is_param ? given->second.with_element(c.module.real) : given->second;
  } else if (!declared && c.options.unread.contains(path)) {
    return poison();
  } else if (value.valid()) {
    initial = initial_value(c, value, declared, path, is_param);
    if (!initial) return poison();
    if (!declared) type = c.init.type(*initial);
  } else if (is_param && !c.options.stand_in_dims && !c.is_trial) {
    c.error(Code::E0501, name.span, fmt::format("param `{}` has no initialiser, and no value was given", path),
            fmt::format("write one, as in `param {} : … = glorot()`, or give `--params FILE`", name.text));
    return poison();
  }
  if (is_param && !is_real(type.element)) {
    c.error(Code::E0203, name.span, fmt::format("a param is learned and must be real, and `{}` is {}", name.text, type_text(type)),
            "declare an `input`");
    return poison();
  }
  ValueId id = c.main.add_parameter(kind, path, is_cut ? given->second : type);
  c.main.parameters.back().origin = c.main.add_origin({name.span, c.frame->calls, c.frame->path, {}, {}});
  c.main.parameters.back().source = source;
  c.main.parameters.back().classes = classes;
  if (initial) c.init_copies.set(id, *initial);
  const auto chosen = is_cut ? chosen_rows(c, id, type, name.span) : std::nullopt;
  c.bind(name, chosen.value_or(Item{id, name.span}), span);
}

// Gives a param of a function to the callers that name it by its path. Where a loop around the call assigns it, each turn starts with what
// the one before has left, from the param on. Returns its value here.
ir::ValueId publish_param(Context& c, const std::string& path, ir::ValueId value, Span span) {
  std::vector<Frame*> callers;
  for (Frame* caller = c.frame->caller; caller; caller = caller->caller) callers.insert(callers.begin(), caller);
  for (Frame* caller : callers) {
    const std::size_t prefix = caller->path.empty() ? 0 : caller->path.size() + 1;
    const Definition* name = caller->names->path(path.substr(prefix));
    if (!name) continue;
    caller->scopes.front().bind(name, {{value, span}, span, std::nullopt});
    for (LoopUnderWay* loop : caller->loops)
      if (auto carried = loop->carry_param(name, value)) value = *carried;
  }
  return value;
}

}  // namespace

// ---- files ----

void lower_file(Context& c, std::size_t index) {
  const Ast& ast = *c.program.asts[index];
  c.files[index] = std::make_unique<Frame>();
  Frame* frame = c.files[index].get();
  frame->ast = &ast;
  frame->names = c.program.names[index].get();
  if (index == 0) c.top = frame;
  Temporarily<Frame*> enter(c.frame, frame);
  for (StmtId id : ast.top)
    if (const auto* fn = std::get_if<FnStmt>(&ast.stmt(id).node))
      if (const Definition* meaning = c.meaning(fn->name); meaning->fn)
        c.bind(fn->name, {callable(*meaning, *frame), fn->name.span}, fn->name.span);
  if (index == 0) {
    run(c, {&ast.top, 0, nullptr});
    return;
  }
  for (StmtId id : ast.top) {
    const StmtNode& node = ast.stmt(id).node;
    if (const auto* dim = std::get_if<DimStmt>(&node)) declare_dim(c, *dim);
    if (const auto* constant = std::get_if<ConstStmt>(&node)) declare_const(c, *constant);
    if (const auto* inner = std::get_if<ImportStmt>(&node)) import(c, *inner);
  }
}

void import(Context& c, const ImportStmt& s) {
  auto found = c.program.imports.find({c.frame->ast->file, s.path});
  if (found == c.program.imports.end()) return;  // reported
  if (!c.files[found->second]) lower_file(c, found->second);
  const Scope& imported = c.files[found->second]->scopes[0];
  for (const Definition* name : imported.order) {
    const Binding& binding = imported.names.at(name);
    const Callable* function = binding.item.as<Callable>();
    bool is_own = function ? function->ast == c.program.asts[found->second].get() : true;
    if (is_own) c.bind(name, binding.item, s.path_span);
  }
}

// ---- declarations ----

void declare_seed(Context& c, const SeedStmt& s) {
  auto item = expression(c, s.value);
  auto number = item ? to_integer(c, *item, "the seed") : std::nullopt;
  if (number && !c.options.seed) c.module.seed = static_cast<std::uint64_t>(*number);
}

void declare_dim(Context& c, const DimStmt& s) {
  std::optional<std::int64_t> size;
  auto given = c.options.dims.find(s.name.text);
  if (c.options.rows && c.options.rows->dim == s.name.text) {
    size = c.options.rows->size;
    c.dim_sources[c.meaning(s.name)] = {DimSize::From::data, "the batch"};
  } else if (given != c.options.dims.end()) {
    size = given->second;
    c.dim_sources[c.meaning(s.name)] = {DimSize::From::flag, fmt::format("--set {}={}", s.name.text, *size), !s.value.valid()};
  } else if (s.value.valid()) {
    c.dim_sources[c.meaning(s.name)] = {DimSize::From::script, fmt::format("dim {} = {}", s.name.text, c.text_of(c.expr(s.value).span))};
    auto item = expression(c, s.value);
    auto dim = item ? to_size(c, *item) : std::nullopt;
    if (dim) size = dim->size;
  } else {
    size = free_dim(c, s);
  }
  Item item{Poison{}, s.name.span};
  if (size && (*size < 0 || *size > INT32_MAX))
    c.error(Code::E0210, s.name.span, fmt::format("the dim `{}` cannot be {}", s.name.text, *size));
  else if (size)
    item.is = Number{*size, Element::i32, {s.name.text, !c.dim_sources.contains(c.meaning(s.name))}};
  c.bind(s.name, std::move(item), s.name.span);
}

void declare_const(Context& c, const ConstStmt& s) {
  std::optional<Type> declared;
  bool ok = true;
  if (s.type) {
    declared = to_type(c, *s.type);
    ok = declared.has_value();
  }
  auto item = expression(c, s.value);
  if (item && !reject_tape(c, *item, "`const`")) item.reset();
  const Number* number = item ? item->as<Number>() : nullptr;
  if (item && declared && number && number->is_integer() && declared->is_scalar() && is_integer(declared->element))
    item->is = typed(number->integer(), declared->element);  // still a compile-time number
  else if (item && declared)
    item = to_declared(c, *item, *declared, fmt::format("`{}`", s.name.text), true);
  else if (item && !is_compile_time(*item) && !item->holds<List>())
    item = to_value(c, *item);
  if (item && number && !declared) item->is = Number{number->value, number->element};  // not the dim that it may come from
  if (const ValueId* id = item ? item->as<ValueId>() : nullptr; id && c.function().value(*id).name.empty())
    c.function().value(*id).name = s.name.text;
  c.bind(s.name, item && ok ? *item : Item{Poison{}, s.name.span}, s.name.span);
  c.frame->scopes.back().names.at(c.meaning(s.name)).is_const = true;
}

// E0203, E0504: categories of what is no whole number, or of another number than there are.
bool check_classes(Context& c, const InputStmt& s, std::optional<std::int64_t>& count) {
  const auto type = to_type(c, *s.type);
  const auto item = type ? expression(c, s.of) : std::nullopt;
  const auto size = item ? to_size(c, *item) : std::nullopt;
  if (!size) return false;
  count = size->size;
  if (!is_integer(type->element)) {
    c.error(Code::E0203, s.type->span, fmt::format("categories are whole numbers, and `{}` is {}", s.name.text, type_text(*type)),
            fmt::format("declare it as `i32{}`", type->is_scalar() ? "" : shape_text(type->dims)));
    return false;
  }
  const auto given = c.options.classes.find(s.name.text);
  if (given == c.options.classes.end()) return true;
  const bool fits = given->second.are_named ? given->second.count == size->size : given->second.count <= size->size;
  if (!fits)
    c.error(Code::E0504, s.name.span,
            fmt::format("`{}` has {}{} categories, and `{}` is {}", s.name.text, given->second.are_named ? "" : "at least ",
                        given->second.count, c.text_of(c.expr(s.of).span), size->size));
  return fits;
}

void declare_input(Context& c, const InputStmt& s, Span span) {
  std::string source = s.from ? canonical_source(c.sources, *c.frame->ast, *s.from) : std::string{};
  std::optional<std::int64_t> count;
  if (s.of.valid() && !check_classes(c, s, count)) return c.bind(s.name, {Poison{}, s.name.span}, span);
  declare_parameter(c, Parameter::Kind::input, s.name, s.name.text, s.type, s.value, span, source, count.value_or(0));
}

void declare_param(Context& c, const ParamStmt& s, Span span) {
  auto misplaced = [&](Code code, const std::string& message, const std::string& help) {
    c.error(code, span, message, help);
    c.bind(s.name, {Poison{}, s.name.span}, span);
  };
  if (c.is_in_init()) return misplaced(Code::E0109, "a `param` cannot stand in a function that an initialiser calls", {});
  if (!c.frame->ruled.empty())
    return misplaced(Code::E0305, fmt::format("`{}` has an adjoint rule, and a `param` in it would get no gradient", c.frame->ruled),
                     "make it a parameter of the function");
  std::string path = c.frame->path.empty() ? s.name.text : c.frame->path + "." + s.name.text;
  if (s.from && !c.frame->path.empty())
    return misplaced(Code::E0109, "a `from` clause cannot stand in a function: each call would read the same",
                     "read the data into a `param` or an `input` outside, and hand it over");
  std::string source = s.from ? canonical_source(c.sources, *c.frame->ast, *s.from) : std::string{};
  declare_parameter(c, Parameter::Kind::param, s.name, path, s.type, s.value, span, source);
  if (!c.frame->caller) return;
  const Binding declared = *c.find_own(c.meaning(s.name));
  if (const ir::ValueId* id = declared.item.as<ir::ValueId>()) {
    Item now{publish_param(c, path, *id, span), s.name.span};
    if (c.frame->separates) separate(c, now, s.name.text);
    c.bind(s.name, now, span);
  }
}

void declare_loss(Context& c, const LossStmt& s, Span span) {
  Temporarily<std::string> binding(c.frame->binding, s.name.text);
  auto loss = value(c, s.value);
  if (loss && !reject_tape(c, *loss, "`loss`")) loss.reset();
  if (loss) {
    const Type type = c.type(*loss);
    if (!type.is_scalar()) {
      c.report(error_at(Code::E0208, loss->span,
                        fmt::format("the loss must be a single real number, and {} is a tensor", c.described(*loss)),
                        "take `sum(…)` or `mean(…)`")
                   .label(loss->span, shape_text(type.dims)));
      loss.reset();
    } else if (!is_real(type.element)) {
      c.error(Code::E0203, loss->span, fmt::format("the loss must be a single real number, and this is {}", type_text(type)));
      loss.reset();
    }
  }
  if (!loss) return c.bind(s.name, {Poison{}, span}, span);
  c.loss = *loss->as<ValueId>();
  c.loss_span = s.name.span;
  c.main.loss = s.name.text;
  c.note_type(s.name.span, *loss);
  assign_name(c, c.meaning(s.name), std::move(*loss), span);
}

// ---- from ----

std::string resolved_path(const SourceMap& sources, FileId script, const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(sources.file(script).path).parent_path();
  return std::filesystem::path(path).is_absolute() ? path : (folder / path).lexically_normal().string();
}

std::string canonical_source(const SourceMap& sources, const Ast& ast, const FromClause& from) {
  const std::string quoted = quote(resolved_path(sources, ast.file, from.path));
  return from.selector.valid() ? fmt::format("{}[{}]", quoted, sources.text(ast.expr(from.selector).span)) : quoted;
}

}  // namespace bpc::frontend::lowering
