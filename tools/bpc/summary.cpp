// `bpc summary`: the layers of a script, with their params, what they give, and what that takes.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "backend/interpreter/count.h"
#include "ir/ranges.h"
#include "ir/rewrite.h"
#include "tools/bpc/table.h"
#include "tools/bpc/train/entry.h"

namespace bpc::tool {

namespace {

using ir::Function;
using ir::Opcode;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kUsualRows = 32;

struct Layer {
  std::string path;
  std::vector<const ir::Parameter*> params;
  std::int64_t numbers = 0, param_bytes = 0;
  std::optional<Type> gives;  // the last value of it that is no scalar, or the last one
  std::uint64_t forward = 0, backward = 0;

  std::int64_t bytes() const {
    return param_bytes + (gives && !path.empty() ? gives->count() * static_cast<std::int64_t>(element_size(gives->element)) : 0);
  }
};

// How often each op of a region runs when the op that holds it does: turns of `for` loops whose bounds are known. A `while` counts as one
// turn, and so do bounds that only a run can tell.
std::uint64_t turns_of(const Function& function, const ir::Op& op) {
  const auto bounds = op.code == Opcode::for_loop ? ir::constant_bounds(function, op) : std::nullopt;
  return bounds ? static_cast<std::uint64_t>(bounds->turns) : 1;
}

// Where `visit` says so, the regions of the op as well.
template <class Visit>
void for_each_op(const Function& function, ir::BlockId block, std::uint64_t times, const Visit& visit) {
  for (ir::OpId id : function.block(block).ops) {
    const ir::Op& op = function.op(id);
    if (!visit(id, op, times)) continue;
    for (ir::BlockId region : op.regions) for_each_op(function, region, times * turns_of(function, op), visit);
  }
}

std::string folder_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

class Layers {
 public:
  explicit Layers(const Function& lowered) {
    for (const ir::Parameter& parameter : lowered.parameters)
      if (parameter.kind == ir::Parameter::Kind::param) with_params_.insert(folder_of(parameter.path));
    for_each_op(lowered, lowered.body(), 1, [&](ir::OpId, const ir::Op& op, std::uint64_t) {
      if (op.results.empty() || ir::op_info(op.code).group == ir::Group::derivative) return false;
      const Type& type = lowered.type(op.results[0]);
      Layer& layer = at(lowered.origin(op.origin).path);
      if (!type.tape && (!layer.gives || !type.is_scalar() || layer.gives->is_scalar())) layer.gives = type;
      return op.code != Opcode::custom;  // whose regions are its ways to compute itself and its derivative
    });
    for (const ir::Parameter& parameter : lowered.parameters) {
      if (parameter.kind != ir::Parameter::Kind::param) continue;
      Layer& layer = at(folder_of(parameter.path));
      const Type& type = lowered.type(parameter.value);
      layer.params.push_back(&parameter);
      layer.numbers += type.count();
      layer.param_bytes += type.count() * static_cast<std::int64_t>(element_size(type.element));
    }
  }

  void count(const Function& expanded) {
    for_each_op(expanded, expanded.body(), 1, [&](ir::OpId id, const ir::Op& op, std::uint64_t times) {
      const std::uint64_t work = backend::operations_of(expanded, id, times).total();
      const ir::Origin& origin = expanded.origin(op.origin);
      Layer& layer = at(origin.path);
      (origin.rule.empty() ? layer.forward : layer.backward) += work;
      return true;
    });
  }

  std::vector<Layer>& all() { return layers_; }

 private:
  // The innermost layer with params around the place; of other places, all that computes one name of the top level is one.
  Layer& at(const std::string& path) {
    std::string name = path;
    while (!name.empty() && !with_params_.contains(name)) name = folder_of(name);
    if (name.empty() && !path.empty()) name = path.substr(0, path.find('.'));
    for (Layer& layer : layers_)
      if (layer.path == name) return layer;
    return layers_.emplace_back(Layer{name, {}, 0, 0, {}, 0, 0});
  }

  std::set<std::string> with_params_;
  std::vector<Layer> layers_;  // in the order of the program
};

std::string short_shape(const Type& type) {
  std::string sizes;
  for (const Dim& dim : type.dims) sizes += (sizes.empty() ? "" : ", ") + std::to_string(dim.size);
  return '[' + sizes + ']';
}

std::string share_text(std::int64_t part, std::int64_t all) {
  return all == 0 || part == 0 ? "" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

// A row for each param; what belongs to the layer beside its first.
void print_layers(const Function& lowered, std::vector<Layer>& layers, const std::string& rows) {
  Layer total{"all", {}, 0, 0, {}, 0, 0};
  std::int64_t bytes = 0;
  for (const Layer& layer : layers) {
    total.numbers += layer.numbers;
    total.forward += layer.forward;
    total.backward += layer.backward;
    bytes += layer.bytes();
  }
  std::vector<std::vector<std::string>> table{{"layer", "param", "shape", "numbers", "share", "gives", "forward", "backward", "bytes"}};
  for (const Layer& layer : layers) {
    const std::string name = layer.path.empty() ? "(top level)" : layer.path;
    for (std::size_t i = 0; i == 0 || i < layer.params.size(); ++i) {
      std::vector<std::string> row{i == 0 ? name : ""};
      if (i < layer.params.size()) {
        const Type& type = lowered.type(layer.params[i]->value);
        row.insert(row.end(), {layer.params[i]->path.substr(layer.path.empty() ? 0 : layer.path.size() + 1), short_shape(type),
                               std::to_string(type.count()), share_text(type.count(), total.numbers)});
      } else {
        row.insert(row.end(), 4, "");
      }
      if (i == 0)
        row.insert(row.end(), {layer.gives && !layer.path.empty() ? short_shape(*layer.gives) : "", std::to_string(layer.forward),
                               std::to_string(layer.backward), std::to_string(layer.bytes())});
      else
        row.insert(row.end(), 4, "");
      table.push_back(std::move(row));
    }
  }
  table.push_back({"all", "", "", std::to_string(total.numbers), "", "", std::to_string(total.forward), std::to_string(total.backward),
                   std::to_string(bytes)});
  print_table(table, LastColumn::numbers);
  if (!rows.empty()) print("{}\n", rows);
}

Json layers_json(const Function& lowered, const std::vector<Layer>& layers) {
  Json list = Json::array();
  for (const Layer& layer : layers) {
    Json params = Json::array();
    for (const ir::Parameter* param : layer.params)
      params.push_back({{"path", param->path}, {"shape", lowered.type(param->value).sizes()}});
    list.push_back({{"layer", layer.path},
                    {"params", std::move(params)},
                    {"numbers", layer.numbers},
                    {"gives", layer.gives ? Json(layer.gives->sizes()) : Json()},
                    {"forward", layer.forward},
                    {"backward", layer.backward},
                    {"bytes", layer.bytes()}});
  }
  return {{"layers", std::move(list)}};
}

}  // namespace

int summary_command(const Options& options) {
  Session session(options);
  frontend::Training training;
  std::optional<Script> script = lower_script(session, options.files.front(), DataNeed::available, &training);
  if (!script) return session.finish();
  // As in a step of training: so many rows.
  frontend::LowerOptions how;
  how.stand_in_dims = true;
  std::int64_t rows = training.batch.value_or(kUsualRows);
  if (!training.rows.empty()) {
    std::int64_t all = rows;
    for (const ir::Parameter& parameter : script->module.main.parameters) {
      const Type& type = script->module.main.type(parameter.value);
      if (script->bindings.tensors.contains(parameter.path) && training.counts_rows(type)) all = type.size(0);
    }
    rows = std::min(rows, all);
    how.rows = {training.rows, rows, all};
  }
  std::optional<ir::Module> module = lower_written(session, *script, how, script->bindings.tensors);
  if (!module) return session.finish();
  Function lowered = ir::Rewriter(module->main).finish([](const ir::Op& op) { return op.code == Opcode::print; });
  module->main = lowered;
  Layers layers(lowered);
  if (!expand_gradients(session, *module) || !optimize(session, *module)) return session.finish();
  layers.count(module->main);
  session.report();
  if (options.json)
    print("{}\n", layers_json(lowered, layers.all()).dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    print_layers(lowered, layers.all(),
                 training.rows.empty() ? "" : fmt::format("what it gives, and the operations, are of {} rows, a batch", rows));
  return session.finish();
}

}  // namespace bpc::tool
