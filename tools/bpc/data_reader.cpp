#include "tools/bpc/data_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <variant>

#include "runtime/io/archive.h"
#include "runtime/io/characters.h"
#include "runtime/io/idx.h"
#include "runtime/io/json_value.h"
#include "runtime/io/npy.h"
#include "runtime/io/read_file.h"
#include "runtime/io/safetensors.h"
#include "runtime/number_text.h"

namespace bpc::tool {

using nlohmann::json;
using runtime::Tensor;
using Tensors = std::map<std::string, Tensor>;

struct DataReader::Contents {
  std::variant<runtime::CsvTable, json, Tensors, Tensor> is;  // a table, a document, arrays by name, one array
  runtime::Remarks remarks = {};                              // of a safetensors file
  std::optional<runtime::FileBytes> bytes = {};               // where a table has its texts
  runtime::Place place = runtime::Place::memory;              // where what is made of it belongs
};

namespace {

// What has no ending (standard input, /dev/fd/3) is JSON when it starts as an array or object does.
bool is_json(const std::string& path, std::string_view text) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (!ending.empty()) return ending == ".json";
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

std::string shown(const std::string& path) {
  return path == "-" ? "<stdin>" : path;
}

std::optional<json> read_json(Session& session, const std::string& path, std::string_view text, Span span) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const std::string_view before = text.substr(0, std::min(error.byte, text.size()));
    session.diagnostics
        .error(Code::E0503, span, fmt::format("{}: line {}: not JSON", path, 1 + std::count(before.begin(), before.end(), '\n')))
        .with_help("a table is read from a file that ends in `.csv`");
    return std::nullopt;
  }
}

// The arrays of an archive by their names, without `.npy`.
std::optional<Tensors> read_npz(Session& session, const std::string& path, std::string_view file, std::size_t most, Span span) {
  auto files = runtime::unzip(file, path, most, session.diagnostics, span);
  if (!files) return std::nullopt;
  Tensors arrays;
  for (auto& [name, text] : *files) {
    auto array = runtime::read_npy(std::move(text), fmt::format("{}: {}", path, name), session.diagnostics, span);
    if (!array) return std::nullopt;
    arrays.emplace(name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name, std::move(*array));
  }
  return arrays;
}

// An array in the element type that is asked for. E0503 where that would lose something: a number that is not whole, or too large, for
// integers; numbers other than 0 and 1 for bools.
std::optional<Tensor> converted(Session& session, const DataQuery& query, const Tensor& array, runtime::Place place) {
  const Element own = array.type().element, wanted = query.element.value_or(is_real(own) ? session.real : own);
  if (own == wanted || (is_real(wanted) && own != Element::boolean)) return array.as(wanted, place);
  const auto fits = [&](std::int64_t i) {
    if (wanted == Element::boolean) return array.real_at(i) == 0 || array.real_at(i) == 1;
    if (!is_integer(wanted) || own == Element::boolean) return false;
    if (is_integer(own)) return wanted == Element::i64 || array.int_at(i) == static_cast<std::int32_t>(array.int_at(i));
    const double value = array.real_at(i), limit = wanted == Element::i32 ? 0x1p31 : 0x1p63;
    return value == std::floor(value) && value >= -limit && value < limit;
  };
  for (std::int64_t i = 0; i < array.count(); ++i) {
    if (fits(i)) continue;
    session.diagnostics.error(Code::E0503, query.span,
                              fmt::format("{}: element {} is {}, and `{}` takes {}", shown(query.file.path), i,
                                          runtime::element_text(array, i), query.name, element_name(wanted)));
    return std::nullopt;
  }
  return array.as(wanted, place);
}

// The values of what `run --json` printed; otherwise the document itself.
bool is_run_output(const json& document) {
  return document.is_object() && document.size() == 3 && document.contains("grads") && document.contains("prints") &&
         document.contains("values") && document["values"].is_object();
}
const json& values_of(const json& document) {
  return is_run_output(document) ? document["values"] : document;
}

std::vector<std::string> names_of(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}
std::vector<std::string> names_of(const Tensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

// The name under which a value is looked up; nullopt (E0503) for a selector of columns. One that a table had does not count where the
// file `has` no value of that name.
template <typename F>
std::optional<std::string> key_of(Session& session, const DataQuery& query, F&& has) {
  if (query.file.selector.is_everything()) return query.name;
  const auto* column = std::get_if<Selector::Column>(&query.file.selector.which);
  const auto* name = column ? std::get_if<std::string>(column) : nullptr;
  if (query.file.is_inherited && !(name && has(*name))) return query.name;
  if (name) return *name;
  session.diagnostics.error(Code::E0503, query.span, query.file.path + ": only a name selects a value of this file")
      .with_help("write one, as in [\"x\"]");
  return std::nullopt;
}

void no_such_value(Session& session, const DataQuery& query, const std::string& name, const std::vector<std::string>& names) {
  const std::string near = closest_match(name, names);
  session.diagnostics.error(Code::E0503, query.span, fmt::format("{}: there is no value `{}`", query.file.path, name))
      .with_help(!near.empty()   ? fmt::format("did you mean `{}`?", near)
                 : names.empty() ? "the file holds none"
                                 : fmt::format("it holds {}", fmt::join(names, ", ")));
}

// How many characters a row has, where the input takes a file of text character by character: none is said (0), or columns from the first
// one on. Names and other columns are those of a table.
std::optional<std::size_t> characters_in_row(const DataQuery& query, const DataFile& file) {
  if (!query.are_categories || !(file.path.ends_with(".txt") || file.path.ends_with(".txt.gz"))) return std::nullopt;
  if (file.selector.is_everything()) return 0;
  const auto* range = std::get_if<Selector::Range>(&file.selector.which);
  const bool is_width = range && range->from.value_or(0) == 0 && range->to.value_or(0) > 0 && range->step == 1;
  return is_width ? std::optional(static_cast<std::size_t>(*range->to)) : std::nullopt;
}

runtime::Categories union_of(const runtime::Categories& a, const runtime::Categories& b) {
  runtime::Categories both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace

DataReader::DataReader(Session& session) : session_(session) {}
DataReader::~DataReader() = default;

void DataReader::announce(const DataFile& file) {
  named_[file.path] |= file.selector.names_columns();
}

const DataReader::Contents* DataReader::contents(const std::string& path, Span span) {
  if (const auto found = files_.find(path); found != files_.end()) return found->second.get();
  std::unique_ptr<Contents>& result = files_[path];
  const auto& scripts = session_.options.files;
  if (path == "-" && std::find(scripts.begin(), scripts.end(), "-") != scripts.end()) {
    session_.diagnostics.error(Code::E0502, span, "cannot read data from standard input: the script comes from there");
    return nullptr;
  }
  auto bytes = this->bytes(path, span);
  if (!bytes) return nullptr;
  const std::size_t most = session_.options.max_memory > 0 ? session_.options.max_memory : runtime::kMostData;
  const std::string name = shown(path), inner = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  const std::string_view text = bytes->view();
  if (runtime::is_npy(text)) {
    if (auto array = runtime::read_npy(*bytes, name, session_.diagnostics, span))
      result = std::make_unique<Contents>(Contents{std::move(*array), {}, {}, bytes->place()});
    return result.get();
  }
  const bool is_archive = inner.ends_with(".npz"), are_tensors = inner.ends_with(".safetensors"), is_document = is_json(inner, text);
  if ((is_archive || are_tensors || is_document || runtime::is_idx(text)) && text.size() > most) {
    runtime::too_large_to_read(path, most, session_.diagnostics, span);
  } else if (runtime::is_idx(text)) {
    if (auto array = runtime::read_idx(text, name, session_.diagnostics, span))
      result = std::make_unique<Contents>(Contents{std::move(*array)});
  } else if (is_archive) {
    if (auto arrays = read_npz(session_, name, text, most, span)) result = std::make_unique<Contents>(Contents{std::move(*arrays)});
  } else if (are_tensors) {
    if (auto tensors = runtime::read_safetensors(text, name, session_.diagnostics, span))
      result = std::make_unique<Contents>(Contents{std::move(*tensors), runtime::read_remarks(text)});
  } else if (is_document) {
    if (auto document = read_json(session_, name, text, span)) result = std::make_unique<Contents>(Contents{std::move(*document)});
  } else if (auto table = runtime::read_csv_table(text, name, named_[path], session_.diagnostics, span, bytes->place())) {
    const runtime::Place place = bytes->place();
    result = std::make_unique<Contents>(Contents{std::move(*table), {}, std::move(bytes), place});
  }
  return result.get();
}

void DataReader::announce_codes(const DataFile& file, std::optional<Element> element, bool are_categories) {
  announce(file);
  code_sources_.push_back({file, element, are_categories});
}

void DataReader::numbers_elsewhere(const DataQuery& query, const std::string& column, const std::string& path) {
  session_.diagnostics
      .warning(Code::W0503, query.span,
               fmt::format("the column `{}` holds texts in {}, which get codes, and numbers in {}", column, query.codes->path, path))
      .with_help("write both as texts, or both as numbers, if they mean the same");
}

std::optional<runtime::KnownCategories> DataReader::known_categories(const DataQuery& query) {
  const auto columns_of = [&](const DataFile& file, std::optional<Element> element, bool are_categories,
                              Diagnostics& diagnostics) -> std::optional<runtime::CsvColumns> {
    const Contents* contents = this->contents(file.path, query.span);
    const auto* table = contents ? std::get_if<runtime::CsvTable>(&contents->is) : nullptr;
    if (!table) return contents ? std::optional(runtime::CsvColumns{}) : std::nullopt;
    return runtime::read_columns(*table, shown(file.path), file.selector, element, session_.real, nullptr, diagnostics, query.span,
                                 are_categories);
  };
  Diagnostics said;
  auto own = columns_of(*query.codes, query.element, query.are_categories, said);
  if (!own) {
    for (const Diagnostic& each : said.all()) session_.diagnostics.add(each);
    return std::nullopt;
  }
  runtime::KnownCategories known{query.codes->path, std::move(own->categories)};
  for (const CodeSource& source : code_sources_) {
    if (source.file.path == query.codes->path) continue;
    Diagnostics silent;  // said where that input is read
    const auto other = columns_of(source.file, source.element, source.are_categories, silent);
    bool is_shared = false;
    for (std::size_t k = 0; k < known.columns.size(); ++k)
      for (std::size_t j = 0; other && j < other->keys.size(); ++j) {
        if (known.columns[k].empty() || other->keys[j] != own->keys[k]) continue;
        if (other->categories[j].empty())
          numbers_elsewhere(query, own->keys[k], source.file.path);
        else
          known.columns[k] = union_of(known.columns[k], other->categories[j]);
        is_shared = is_shared || !other->categories[j].empty();
      }
    if (is_shared && known.file.find(source.file.path) == std::string::npos)
      known.file = fmt::format("{} and {}", known.file, source.file.path);
  }
  return known;
}

std::optional<runtime::FileBytes> DataReader::bytes(const std::string& path, Span span) {
  const std::size_t limit = session_.options.max_memory, most = limit > 0 ? limit : runtime::kMostData;
  const std::size_t memory = limit > 0 ? std::min(limit, runtime::usable_memory()) : runtime::usable_memory();
  auto bytes = runtime::read_data(path, most, memory, session_.diagnostics, span);
  if (!bytes || !runtime::is_gzip(bytes->view())) return bytes;
  auto text = runtime::gunzip(bytes->view(), shown(path), most, session_.diagnostics, span);
  return text ? std::optional(runtime::FileBytes(std::move(*text))) : std::nullopt;
}

std::optional<DataValue> DataReader::read_text(const DataQuery& query, std::size_t in_row) {
  std::optional<runtime::KnownCategories> known;
  if (query.codes && query.codes->path != query.file.path && characters_in_row(query, *query.codes)) {
    const auto first = bytes(query.codes->path, query.span);
    auto read =
        first ? runtime::read_characters(first->view(), query.codes->path, 0, nullptr, session_.diagnostics, query.span) : std::nullopt;
    if (!read) return std::nullopt;
    known = runtime::KnownCategories{query.codes->path, {std::move(read->classes)}};
  }
  const auto text = bytes(query.file.path, query.span);
  auto read = text ? runtime::read_characters(text->view(), shown(query.file.path), in_row, known ? &*known : query.trained,
                                              session_.diagnostics, query.span)
                   : std::nullopt;
  if (!read) return std::nullopt;
  return DataValue{read->codes.as(query.element.value_or(Element::i32)),
                   std::vector<runtime::Categories>(std::max<std::size_t>(in_row, 1), read->classes),
                   {}};
}

std::optional<DataValue> DataReader::read(const DataQuery& query) {
  if (const auto in_row = characters_in_row(query, query.file)) return read_text(query, *in_row);
  const Contents* file = contents(query.file.path, query.span);
  if (!file) return std::nullopt;
  const Element real = session_.real;
  if (const auto* table = std::get_if<runtime::CsvTable>(&file->is)) {
    std::optional<runtime::KnownCategories> known;
    if (query.codes && !(known = known_categories(query))) return std::nullopt;
    auto columns = runtime::read_columns(*table, shown(query.file.path), query.file.selector, query.element, real,
                                         known ? &*known : query.trained, session_.diagnostics, query.span, query.are_categories);
    if (!columns) return std::nullopt;
    return DataValue{std::move(columns->tensor), std::move(columns->categories), std::move(columns->keys)};
  }
  if (const auto* document = std::get_if<json>(&file->is)) {
    const json* value = document;
    if (document->is_object() || !(query.file.selector.is_everything() || query.file.is_inherited)) {
      if (!document->is_object()) {
        session_.diagnostics
            .error(Code::E0503, query.span, shown(query.file.path) + ": a selector names a value of a JSON object, and this is a list")
            .with_help("leave the selector out, or give the values by name: `{\"x\": [1, 2], \"y\": [3, 4]}`");
        return std::nullopt;
      }
      const json& values = values_of(*document);
      const auto key = key_of(session_, query, [&](const std::string& name) { return values.contains(name); });
      if (!key) return std::nullopt;
      if (!values.contains(*key)) return no_such_value(session_, query, *key, names_of(values)), std::nullopt;
      value = &values[*key];
    }
    auto tensor = runtime::from_json(*value, query.name, query.element, real, session_.diagnostics, query.span);
    return tensor ? std::optional(DataValue{std::move(*tensor), {}, {}}) : std::nullopt;
  }
  if (const auto* array = std::get_if<Tensor>(&file->is)) {
    // The file of all inputs is asked for each by its name.
    const auto* column = std::get_if<Selector::Column>(&query.file.selector.which);
    const bool is_by_name = column && *column == Selector::Column(query.name);
    if (!query.file.selector.is_everything() && !query.file.is_inherited && !is_by_name) {
      session_.diagnostics
          .error(Code::E0503, query.span, shown(query.file.path) + ": a selector chooses columns of a table, and this is an array")
          .with_help("leave it out, and take parts in the script: `x[:, 0..4]`");
      return std::nullopt;
    }
    auto value = converted(session_, query, *array, file->place);
    return value ? std::optional(DataValue{std::move(*value), {}, {}}) : std::nullopt;
  }
  const auto& tensors = std::get<Tensors>(file->is);
  const auto key = key_of(session_, query, [&](const std::string& name) { return tensors.contains(name); });
  if (!key) return std::nullopt;
  const auto found = tensors.find(*key);
  if (found == tensors.end()) return no_such_value(session_, query, *key, names_of(tensors)), std::nullopt;
  auto value = converted(session_, query, found->second, file->place);
  return value ? std::optional(DataValue{std::move(*value), {}, {}}) : std::nullopt;
}

bool DataReader::has(const std::string& path, const std::string& name) {
  const Contents* file = contents(path, {});
  if (!file) return true;
  if (std::holds_alternative<Tensor>(file->is)) return true;
  if (const auto* tensors = std::get_if<Tensors>(&file->is)) return tensors->contains(name);
  if (const auto* document = std::get_if<json>(&file->is)) return !document->is_object() || values_of(*document).contains(name);
  const std::vector<std::string> names = std::get<runtime::CsvTable>(file->is).column_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::map<std::string, std::vector<runtime::Categories>> DataReader::trained_categories(const std::string& path) {
  const Contents* file = contents(path, {});
  const auto found = file ? file->remarks.find("bpc") : runtime::Remarks::const_iterator{};
  if (!file || found == file->remarks.end()) return {};
  const json said = json::parse(found->second, nullptr, false);
  try {
    return said.contains("categories") ? said["categories"].get<std::map<std::string, std::vector<runtime::Categories>>>()
                                       : std::map<std::string, std::vector<runtime::Categories>>{};
  } catch (const json::exception&) {  // somebody else's remark of that name
    return {};
  }
}

std::optional<Tensors> DataReader::read_params(const std::string& path, const std::vector<std::string>& known) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (!ending.empty() && ending != ".json" && ending != ".safetensors" && ending != ".npz") {
    session_.diagnostics.error(Code::E0503, {}, fmt::format("{}: params are read from a .safetensors or .npz file or a JSON object", path));
    return std::nullopt;
  }
  const Contents* file = contents(path, {});
  if (!file) return std::nullopt;
  const Element real = session_.real;
  Tensors result;
  if (const auto* tensors = std::get_if<Tensors>(&file->is)) {
    for (const auto& [name, tensor] : *tensors)
      if (name.find('/') == std::string::npos)
        result[name] = is_real(tensor.type().element) ? tensor.as(real) : tensor;  // "W/m" is what training keeps
    return result;
  }
  const auto* document = std::get_if<json>(&file->is);
  if (!document || !document->is_object()) {
    session_.diagnostics.error(Code::E0503, {}, path + ": params are read from a .safetensors or .npz file or a JSON object");
    return std::nullopt;
  }
  for (const auto& [name, value] : values_of(*document).items()) {
    if (is_run_output(*document) && std::find(known.begin(), known.end(), name) == known.end()) continue;
    auto tensor = runtime::from_json(value, name, real, real, session_.diagnostics);
    if (!tensor) return std::nullopt;
    result[name] = std::move(*tensor);
  }
  if (result.empty()) {
    session_.diagnostics.error(Code::E0505, {}, path + ": no value is one of a param of the script")
        .with_help("a run gives the values of what the script assigns, so assign the param, as training loops do: `w -= rate * g`");
    return std::nullopt;
  }
  return result;
}

}  // namespace bpc::tool
