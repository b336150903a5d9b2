#include "tools/bpc/data.h"

#include <nlohmann/json.hpp>

#include "runtime/io/csv.h"
#include "runtime/io/csv_table.h"
#include "runtime/io/json_value.h"
#include "runtime/io/safetensors.h"

namespace bpc::tool {

namespace {

using frontend::InputRequest;
using runtime::Tensor;

struct NameValue {
  std::string name, value;
};

std::optional<NameValue> split_at_equals(const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return NameValue{text.substr(0, equals), text.substr(equals + 1)};
}

// `FILE[SELECTOR]` as a command line says it: the selector is a name, an index, a range 0..4, or a JSON string or list.
struct DataFile {
  std::string path;
  std::string selector;  // canonical JSON, or empty
};

std::optional<DataFile> read_data_file(Session& session, const std::string& text) {
  std::size_t open = text.ends_with(']') ? text.find('[') : std::string::npos;
  if (open == std::string::npos) return DataFile{text, {}};
  std::string inside = text.substr(open + 1, text.size() - open - 2);
  nlohmann::json selector = nlohmann::json::parse(inside, nullptr, false);
  if (std::size_t dots = inside.find(".."); selector.is_discarded() && dots != std::string::npos) {
    nlohmann::json from = nlohmann::json::parse(inside.substr(0, dots), nullptr, false),
                   to = nlohmann::json::parse(inside.substr(dots + 2), nullptr, false);
    if (from.is_number_unsigned() && to.is_number_unsigned()) selector = {{"from", from}, {"to", to}};
  }
  if (selector.is_discarded()) selector = inside;
  if (inside.empty() || !(selector.is_string() || selector.is_array() || selector.is_object() || selector.is_number_unsigned())) {
    session.diagnostics.error(Code::E0505, {}, fmt::format("`--data {}`: the selector `[{}]` cannot be read", text, inside))
        .with_help("write a column's name, an index, a range such as [0..4], or a JSON list of names");
    return std::nullopt;
  }
  return DataFile{text.substr(0, open), selector.dump()};
}

std::optional<Element> element_of(const Session& session, const std::string& name) {
  return name == "real" ? session.options.real : element_from_name(name);
}

// Element types that a script's own top-level params are declared with: --set follows them.
std::map<std::string, std::string> param_elements(const frontend::Program& program) {
  std::map<std::string, std::string> elements;
  const frontend::Ast& ast = *program.asts.front();
  for (frontend::StmtId id : ast.top)
    if (const auto* param = std::get_if<frontend::ParamStmt>(&ast.stmt(id).node))
      elements[param->name.text] = param->type ? param->type->element : "";
  return elements;
}

class Binder {
 public:
  Binder(Session& session, const frontend::Program& program)
      : session_(session),
        requests_(frontend::input_requests(program)),
        dims_(frontend::dim_names(program)),
        params_(param_elements(program)) {}

  std::optional<Bindings> bind(DataNeed need) {
    bind_params_file();
    for (const std::string& set : session_.options.sets) bind_set(set);
    std::map<std::string, DataFile> named;
    std::optional<DataFile> common;
    for (const std::string& text : session_.options.data) sort_data(text, named, common);
    for (const InputRequest& request : requests_)
      if (!bindings_.tensors.contains(request.name)) bind_input(request, named, common, need);
    if (session_.diagnostics.has_errors()) return std::nullopt;
    return std::move(bindings_);
  }

 private:
  void bind_params_file() {
    if (session_.options.params.empty()) return;
    auto tensors = runtime::load_safetensors(session_.options.params, session_.diagnostics);
    if (!tensors) return;
    for (auto& [path, tensor] : *tensors)
      bindings_.tensors[path] = is_real(tensor.type().element) ? tensor.as(session_.options.real) : tensor;
  }

  void bind_set(const std::string& text) {
    std::optional<NameValue> given = split_at_equals(text);
    if (!given) {
      session_.diagnostics.error(Code::E0505, {}, fmt::format("`--set {}` cannot be read", text)).with_help("write --set name=value");
      return;
    }
    bool is_dim = std::find(dims_.begin(), dims_.end(), given->name) != dims_.end();
    auto request = std::find_if(requests_.begin(), requests_.end(), [&](const InputRequest& r) { return r.name == given->name; });
    auto param = params_.find(given->name);
    std::string element = request != requests_.end() ? request->element : param != params_.end() ? param->second : "";
    std::optional<Element> wanted = is_dim ? Element::i64 : element_of(session_, element);
    std::optional<Tensor> value = runtime::from_json_text(given->value, given->name, wanted, session_.options.real, session_.diagnostics,
                                                          request != requests_.end() ? request->span : Span{});
    if (!value) return;
    if (!is_dim) {
      bindings_.tensors[given->name] = std::move(*value);
    } else if (value->type().is_scalar()) {
      bindings_.dims[given->name] = value->int_at(0);
    } else {
      session_.diagnostics.error(Code::E0504, {}, fmt::format("`{}` is a dim: its value is one whole number", given->name));
    }
  }

  void sort_data(const std::string& text, std::map<std::string, DataFile>& named, std::optional<DataFile>& common) {
    std::optional<NameValue> given = split_at_equals(text);
    bool names_input =
        given && std::any_of(requests_.begin(), requests_.end(), [&](const InputRequest& r) { return r.name == given->name; });
    if (given && !names_input && !read_text(text)) {
      std::vector<std::string> names;
      for (const InputRequest& request : requests_) names.push_back(request.name);
      std::string near = closest_match(given->name, names);
      session_.diagnostics.error(Code::E0505, {}, fmt::format("`--data` names `{}`, which is no input of the script", given->name))
          .with_help(near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      return;
    }
    std::optional<DataFile> file = read_data_file(session_, names_input ? given->value : text);
    if (!file) return;
    if (names_input) {
      named[given->name] = *file;
    } else {
      common = file;
    }
  }

  void bind_input(const InputRequest& request, const std::map<std::string, DataFile>& named, const std::optional<DataFile>& common,
                  DataNeed need) {
    auto own = named.find(request.name);
    if (own != named.end()) {
      load(request, own->second, {});
    } else if (common && !(request.has_default && request.path.empty() && lacks_column(*common, request.name))) {
      std::string selector = !common->selector.empty() ? common->selector
                             : !request.path.empty()   ? request.selector
                                                       : nlohmann::json(request.name).dump();
      load(request, {common->path, selector}, {});
    } else if (!request.path.empty()) {
      // `check` takes the file's shapes when it is there.
      if (need != DataNeed::available || read_text(request.path)) load(request, {request.path, request.selector}, request.path_span);
    } else if (!request.has_default && need == DataNeed::values) {
      session_.diagnostics.error(Code::E0501, request.span, fmt::format("input `{}` has no value", request.name))
          .with_help(fmt::format("give one with `--set {}=…`, `--data {}=FILE`, a `from` clause, or a default `= value`", request.name,
                                 request.name));
    }
  }

  // An input with a default keeps it when the file of all inputs has no column of its name.
  static bool lacks_column(const DataFile& file, const std::string& name) {
    if (!file.selector.empty()) return false;
    Diagnostics unused;  // whoever loads the file reports what is wrong with it
    std::optional<runtime::CsvTable> table = runtime::read_csv_table(file.path, unused);
    if (!table || table->rows.empty()) return false;
    const auto& header = table->rows.front().cells;
    return std::find(header.begin(), header.end(), name) == header.end();
  }

  void load(const InputRequest& request, const DataFile& file, Span span) {
    std::optional<Tensor> tensor = runtime::load_csv(file.path, file.selector, element_of(session_, request.element), session_.options.real,
                                                     session_.diagnostics, span.valid() ? span : request.span);
    if (tensor) bindings_.tensors[request.name] = std::move(*tensor);
  }

  Session& session_;
  std::vector<InputRequest> requests_;
  std::vector<std::string> dims_;
  std::map<std::string, std::string> params_;
  Bindings bindings_;
};

}  // namespace

std::optional<Bindings> bind_data(Session& session, const frontend::Program& program, DataNeed need) {
  return Binder(session, program).bind(need);
}

void check_given_names(Session& session, const frontend::Program& program, const ir::Module& module, const Bindings& bindings) {
  std::vector<std::string> names = frontend::dim_names(program);
  for (const ir::Parameter& parameter : module.find("main")->parameters) names.push_back(parameter.path);
  for (const auto& [name, tensor] : bindings.tensors) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string near = closest_match(name, names);
    session.diagnostics
        .error(Code::E0505, {}, fmt::format("a value is given for `{}`, which is no dim, input or param of the script", name))
        .with_help(near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  }
}

}  // namespace bpc::tool
