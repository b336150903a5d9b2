#include "tools/bpc/data.h"

#include <filesystem>

#include "runtime/io/json_value.h"
#include "tools/bpc/data_reader.h"

namespace bpc::tool {

namespace {

using frontend::DataRequest;
using runtime::Tensor;

struct NameValue {
  std::string name, value;
};

std::optional<NameValue> split_at_equals(const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return NameValue{text.substr(0, equals), text.substr(equals + 1)};
}

std::optional<Element> element_of(const Session& session, const std::string& name) {
  return name == "real" ? session.real : element_from_name(name);
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

class Binder {
 public:
  Binder(Session& session, const frontend::Program& program)
      : session_(session),
        requests_(frontend::data_requests(program, session.diagnostics)),
        dims_(frontend::dim_names(program)),
        reader_(session) {}

  Bindings bind(DataNeed need) {
    const std::size_t before = session_.diagnostics.error_count();
    for (const std::string& text : session_.options.data) sort_data(text);
    if (session_.diagnostics.error_count() > before) {  // whatever has no value may have been to get it from there
      need = DataNeed::available;
      for (const DataRequest& request : requests_)
        if (!request.has_default) bindings_.unread.insert(request.name);
    }
    bind_params_file();
    for (const auto& [name, file] : named_) bindings_.tensors.erase(name);  // --data NAME=FILE wins over --params, and --set over both
    for (const std::string& set : session_.options.sets) bind_set(set);
    announce();
    for (const DataRequest& request : requests_)
      if (!bindings_.tensors.contains(request.name)) bind_or_say_why(request, need);
    for (const DataRequest& request : requests_)
      if (request.has_classes) count_classes(request);
    return std::move(bindings_);
  }

  Bindings bind_rows(const std::string& file, const std::set<std::string>& names, const Bindings& trained) {
    common_ = read_data_file(session_, file);
    if (!common_) return {};
    std::erase_if(requests_, [&](const DataRequest& request) { return !names.contains(request.name); });
    for (DataRequest& request : requests_) request.has_default = false;
    for (const auto& [name, columns] : trained.categories) trained_.emplace(name, runtime::KnownCategories{"the training rows", columns});
    announce();
    for (const DataRequest& request : requests_) bind_or_say_why(request, DataNeed::possible);
    return std::move(bindings_);
  }

 private:
  void bind_or_say_why(const DataRequest& request, DataNeed need) {
    if (need != DataNeed::possible || request.is_param) return bind_request(request, need);
    Diagnostics before = std::exchange(session_.diagnostics, {});
    bind_request(request, DataNeed::values);
    Diagnostics said = std::exchange(session_.diagnostics, std::move(before));
    if (bindings_.tensors.contains(request.name) || (request.has_default && !said.has_errors()))
      for (const Diagnostic& warning : said.all()) session_.diagnostics.add(warning);
    else
      bindings_.why_missing.emplace(request.name, std::move(said));
  }

  // By their names; codes alone tell how many there are at least.
  void count_classes(const DataRequest& request) {
    if (!request.class_dim.empty()) bindings_.class_dims.emplace(request.class_dim, request.name);
    const auto tensor = bindings_.tensors.find(request.name);
    if (const auto named = bindings_.categories.find(request.name); named != bindings_.categories.end() && !named->second.empty()) {
      bindings_.classes[request.name] = {static_cast<std::int64_t>(named->second[0].size()), true};
    } else if (tensor != bindings_.tensors.end() && is_integer(tensor->second.type().element)) {
      std::int64_t last = -1;
      for (std::int64_t i = 0; i < tensor->second.count(); ++i) last = std::max(last, tensor->second.int_at(i));
      bindings_.classes[request.name] = {last + 1, false};
    }
  }

  const DataRequest* find(const std::string& name) const {
    const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const DataRequest& r) { return r.name == name; });
    return found == requests_.end() ? nullptr : &*found;
  }

  void bind_params_file() {
    if (session_.options.params.empty()) return;
    const std::string path = params_file(session_.options.params);
    std::vector<std::string> params;
    for (const DataRequest& request : requests_)
      if (request.is_param) params.push_back(request.name);
    if (auto tensors = reader_.read_params(path, params)) bindings_.tensors = std::move(*tensors);
    for (auto& [name, columns] : reader_.trained_categories(path)) {
      bindings_.categories[name] = columns;
      trained_.emplace(name, runtime::KnownCategories{path, std::move(columns)});
    }
  }

  // `name=value`, `name=@FILE`: a JSON value, or the file that holds one.
  void bind_set(const std::string& text) {
    std::optional<NameValue> given = split_at_equals(text);
    if (!given) {
      session_.diagnostics.error(Code::E0510, {}, fmt::format("`--set {}` cannot be read", text)).with_help("write `--set NAME=VALUE`");
      return;
    }
    const DataRequest* request = find(given->name);
    const bool is_dim = std::find(dims_.begin(), dims_.end(), given->name) != dims_.end();
    const std::optional<Element> wanted = is_dim ? Element::i64 : element_of(session_, request ? request->element : "");
    const Span span = request ? request->span : Span{};
    std::optional<Tensor> value;
    if (given->value.starts_with('@')) {
      auto read = reader_.read({{given->value.substr(1), {}}, given->name, wanted, span});
      if (read) value = std::move(read->tensor);
    } else {
      value = runtime::from_json_text(given->value, given->name, wanted, session_.real, session_.diagnostics, span);
    }
    if (!value) return;
    if (!is_dim) {
      bindings_.tensors[given->name] = std::move(*value);
    } else if (value->type().is_scalar()) {
      bindings_.dims[given->name] = value->int_at(0);
    } else {
      session_.diagnostics.error(Code::E0504, {}, fmt::format("`{}` is a dim: its value is one whole number", given->name));
    }
  }

  // `FILE[SELECTOR]` for all inputs, or `name=FILE[SELECTOR]` for one input or param.
  void sort_data(const std::string& text) {
    std::optional<NameValue> given = split_at_equals(text);
    const bool is_named = given && find(given->name);
    if (given && !is_named && !is_there(text)) {
      std::vector<std::string> names;
      for (const DataRequest& request : requests_) names.push_back(request.name);
      std::string near = closest_match(given->name, names);
      session_.diagnostics.error(Code::E0505, {}, fmt::format("`--data` names `{}`, which is no input or param of the script", given->name))
          .with_help(near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      return;
    }
    std::optional<DataFile> file = read_data_file(session_, is_named ? given->value : text);
    if (!file) return;
    if (is_named) {
      named_[given->name] = *file;
    } else {
      common_ = file;
    }
  }

  // The file that gives a request its value, if one may; whether it does, an input with a default asks the file.
  std::optional<DataFile> source(const DataRequest& request) const {
    if (const auto own = named_.find(request.name); own != named_.end())
      return own->second.selector.is_everything() && !request.path.empty() ? DataFile{own->second.path, request.selector, true}
                                                                           : own->second;
    if (common_ && !request.is_param) return in_common_file(request);
    if (!request.path.empty()) return DataFile{request.path, request.selector};
    return std::nullopt;
  }

  DataFile in_common_file(const DataRequest& request) const {
    if (!common_->selector.is_everything()) return *common_;
    if (!request.path.empty()) return {common_->path, request.selector, true};
    return {common_->path, Selector{Selector::Column(request.name)}};
  }

  void announce() {
    for (const DataRequest& request : requests_) {
      if (!request.path.empty()) announce_source(request);
      if (bindings_.tensors.contains(request.name)) continue;
      if (const auto file = source(request)) reader_.announce(*file);
    }
  }

  void announce_source(const DataRequest& request) {
    const DataFile own{request.path, request.selector};
    const std::optional<Element> element = element_of(session_, request.element);
    if (may_be_codes(element) && is_there(request.path))
      reader_.announce_codes(own, element, request.has_classes);
    else
      reader_.announce(own);
  }

  static bool may_be_codes(std::optional<Element> element) { return !element || is_integer(*element); }

  void bind_request(const DataRequest& request, DataNeed need) {
    const std::optional<DataFile> file = source(request);
    const bool is_common = common_ && !request.is_param && !named_.contains(request.name);
    if (file && is_common && keeps_default(request)) return;
    if (file) {
      const bool is_own = !request.path.empty() && file->path == request.path;
      // `check` takes the file's shapes when it is there.
      const bool may_lack = is_own && need == DataNeed::available && !is_there(request.path);
      if (!may_lack && !(is_own && request.is_refused)) load(request, *file, is_own ? request.path_span : request.span);
      if (!bindings_.tensors.contains(request.name)) bindings_.unread.insert(request.name);
    } else if (!request.has_default && !request.is_param && need == DataNeed::values) {
      session_.diagnostics.error(Code::E0501, request.span, fmt::format("input `{}` has no value", request.name))
          .with_help(fmt::format("give one with `--set {}=…`, `--data {}=FILE`, a `from` clause, or a default `= value`", request.name,
                                 request.name));
    }
  }

  // An input with a default keeps it when the file of all inputs has nothing of its name.
  bool keeps_default(const DataRequest& request) {
    return request.has_default && request.path.empty() && common_->selector.is_everything() && !reader_.has(common_->path, request.name);
  }

  void load(const DataRequest& request, const DataFile& file, Span span) {
    const std::optional<Element> element = element_of(session_, request.element);
    const DataFile own{request.path, request.selector};
    const auto trained = trained_.find(request.name);
    const bool has_codes = trained == trained_.end() && !request.path.empty() && may_be_codes(element);
    auto value = reader_.read({file, request.name, element, span, has_codes ? &own : nullptr, request.has_classes,
                               trained == trained_.end() ? nullptr : &trained->second});
    if (!value) return;
    bindings_.tensors[request.name] = std::move(value->tensor);
    bindings_.columns[request.name] = std::move(value->columns);
    const auto is_text = [](const runtime::Categories& each) { return !each.empty(); };
    if (std::none_of(value->categories.begin(), value->categories.end(), is_text)) return;
    if (request.path.empty() && !session_.options.params.empty() && trained == trained_.end())
      session_.diagnostics
          .warning(Code::W0503, request.span,
                   fmt::format("the codes of `{}` are made from {} alone, whatever the params of {} were learned with", request.name,
                               file.path, session_.options.params))
          .with_help(fmt::format("name the file whose texts have the codes, as in `input {} : i32[N] from \"train.csv\"[\"{}\"]`",
                                 request.name, request.name));
    bindings_.categories[request.name] = std::move(value->categories);
  }

  Session& session_;
  std::vector<DataRequest> requests_;
  std::vector<std::string> dims_;
  std::map<std::string, DataFile> named_;
  std::optional<DataFile> common_;
  DataReader reader_;
  Bindings bindings_;
  std::map<std::string, runtime::KnownCategories> trained_;  // by the name of an input of the training that the params come from
};

}  // namespace

Bindings bind_rows(Session& session, const frontend::Program& program, const std::string& file, const std::set<std::string>& names,
                   const Bindings& trained) {
  return Binder(session, program).bind_rows(file, names, trained);
}

std::string training_folder(const std::string& script) {
  return script == "-" ? "stdin.model" : std::filesystem::path(script).replace_extension(".model").string();
}

std::string params_file(const std::string& path) {
  for (const char* name : {kBestParams, kLastParams})
    if (const std::string file = (std::filesystem::path(path) / name).string(); is_there(file)) return file;
  return path;
}

Bindings bind_data(Session& session, const frontend::Program& program, DataNeed need) {
  return Binder(session, program).bind(need);
}

void check_given_names(Session& session, const frontend::Program& program, const ir::Module& module, const Bindings& bindings) {
  std::vector<std::string> names = frontend::dim_names(program), missing;
  for (const ir::Parameter& parameter : module.main.parameters) names.push_back(parameter.path);
  for (const auto& [name, tensor] : bindings.tensors) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string near = closest_match(name, names);
    session.diagnostics
        .error(Code::E0505, {}, fmt::format("a value is given for `{}`, which is no dim, input or param of the script", name))
        .with_help(near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  }
  for (const ir::Parameter& parameter : module.main.parameters)
    if (parameter.kind == ir::Parameter::Kind::param && !bindings.tensors.contains(parameter.path)) missing.push_back(parameter.path);
  if (!session.options.params.empty() && !missing.empty() && !session.diagnostics.has_errors())
    session.diagnostics
        .warning(Code::W0502, {},
                 fmt::format("{} has no value for `{}`, which keep{} the initial value", session.options.params, fmt::join(missing, "`, `"),
                             missing.size() == 1 ? "s" : ""))
        .with_help("what `run --json` prints holds the params that the script assigns");
}

}  // namespace bpc::tool
