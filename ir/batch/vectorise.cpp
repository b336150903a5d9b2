#include "ir/batch/vectorise.h"

#include "ir/batch/batch.h"
#include "ir/clone.h"

namespace bpc::ir {

namespace {

// Whether an index axis is empty.
bool never_runs(const Function& function, const Op& map) {
  const Type& type = function.type(map.results[0]);
  for (std::size_t i = 0; i < function.block(map.regions[0]).arguments.size(); ++i)
    if (type.size(i) == 0) return true;
  return false;
}

std::vector<ValueId> zeros(Builder& builder, const Op& map) {
  std::vector<ValueId> results;
  for (ValueId result : map.results) results.push_back(builder.constant(0, Type(builder.function().type(result))));
  return results;
}

// One loop per index axis; the innermost turn writes the part of each result that the index names.
class Loops {
 public:
  Loops(Builder& builder, const Op& map) : builder_(builder), function_(builder.function()), map_(map), copies_(builder) {}

  std::vector<ValueId> run() { return axis(0, zeros(builder_, map_)); }

 private:
  std::size_t axes() const { return function_.block(map_.regions[0]).arguments.size(); }

  std::vector<ValueId> axis(std::size_t depth, std::vector<ValueId> results) {
    if (depth == axes()) return write(std::move(results));
    const Builder outside = builder_;
    BlockId body = function_.add_block({});
    ValueId index = function_.block(map_.regions[0]).arguments[depth];
    copies_.set(index, function_.add_argument(body, Type(Element::i32), std::string(function_.value(index).name)));
    std::vector<ValueId> operands{builder_.integer(0, Element::i32),
                                  builder_.integer(function_.type(map_.results[0]).size(depth), Element::i32),
                                  builder_.integer(1, Element::i32)};
    std::vector<Type> types;
    std::vector<ValueId> inside;
    for (ValueId result : results) {
      operands.push_back(result);
      types.push_back(function_.type(result));
      inside.push_back(function_.add_argument(body, types.back(), {}));
    }
    builder_.set_block(body);
    std::vector<ValueId> yields = axis(depth + 1, std::move(inside));
    function_.block(body).yields = std::move(yields);
    builder_.return_to(outside);
    OpId loop = builder_.emit_op(Opcode::for_loop, operands, {}, types);
    attach_regions(function_, loop, {body});
    return function_.op(loop).results;
  }

  std::vector<ValueId> write(std::vector<ValueId> results) {
    const std::vector<ValueId> parts = copies_.splice(map_.regions[0]);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Type type = function_.type(results[i]);
      std::vector<std::int64_t> starts(type.rank(), 0), steps(type.rank(), 1), sizes = type.sizes(), leading;
      std::vector<ValueId> operands{results[i], parts[i]};
      for (std::size_t k = 0; k < axes(); ++k) {
        sizes[k] = 1;
        leading.push_back(static_cast<std::int64_t>(k));
        operands.push_back(copies_.map(function_.block(map_.regions[0]).arguments[k]));
      }
      results[i] = builder_.emit(
          Opcode::update, operands,
          {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, leading}, {Attr::drop, leading}});
    }
    return results;
  }

  Builder& builder_;
  Function& function_;
  const Op map_;
  Cloner copies_;
};

}  // namespace

std::vector<ValueId> vectorise(Builder& builder, OpId id) {
  Function& function = builder.function();
  const Op map = function.op(id);
  const OriginId origin = builder.origin();
  builder.set_origin(map.origin);
  Varying varying(function, map);
  // Batched, what does not vary would run although the map never does.
  const bool batches = !never_runs(function, map) && varying.can_batch();
  const std::vector<ValueId> results = batches ? Batch(builder, map, varying).run() : Loops(builder, map).run();
  std::erase(function.block(map.block).ops, id);
  builder.set_origin(origin);
  return results;
}

void vectorise_visited(Rewriter& rewriter, const Op& map) {
  rewriter.copy(map);
  const std::vector<ValueId> batched = vectorise(rewriter.builder(), rewriter.to().value(rewriter.map(map.results[0])).op);
  for (std::size_t i = 0; i < batched.size(); ++i) rewriter.set(map.results[i], batched[i]);
}

}  // namespace bpc::ir
