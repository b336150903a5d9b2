#include "backend/llvm/contraction.h"

#include <llvm/IR/Intrinsics.h>

#include "backend/llvm/packing.h"
#include "backend/llvm/register_tile.h"
#include "backend/plan/operands.h"

namespace bpc::backend {

namespace {

using plan::Group;
using plan::Packing;

// The loops over the blocks of one contraction, and their packing.
class ContractionEmitter {
 public:
  ContractionEmitter(Code& code, const plan::Contraction& c)
      : e_(code),
        c_(c),
        b_(code.builder),
        element_(code.plan.at(c.c.buffer).element),
        m_(plan::count(c.m)),
        n_(plan::count(c.n)),
        k_(plan::count(c.k)),
        tile_(code, c) {}

  void run() {
    if (c_.offsets.valid()) a_table_ = e_.base(c_.offsets);
    if (c_.offsets.valid()) b_table_ = at(a_table_, Element::i64, e_.integer(c_.tile.depth));
    if (!plan::keeps_totals(c_)) find_offsets(e_.integer(0), e_.integer(k_));
    std::vector<llvm::Value*> indices;
    over_batch(indices);
  }

 private:
  llvm::Value* at(llvm::Value* base, Element element, llvm::Value* index) { return b_.CreateInBoundsGEP(e_.type(element), base, index); }
  // What is left of `size` from `from` on, at most `most`.
  llvm::Value* part(llvm::Value* from, std::int64_t size, std::int64_t most) {
    if (size % most == 0 || most >= size) return e_.integer(std::min(most, size));
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateNSWSub(e_.integer(size), from), e_.integer(most));
  }
  // body(start, length) for each block of at most `most` of `size`.
  void blocks(std::int64_t size, std::int64_t most, const std::function<void(llvm::Value*, llvm::Value*)>& body) {
    if (size <= most) return body(e_.integer(0), e_.integer(size));
    e_.loop(e_.integer(0), e_.integer(size), most, Code::Shape::rolled, [&](llvm::Value* start) { body(start, part(start, size, most)); });
  }

  // Where an operand begins, given some of the indices of the batch.
  llvm::Value* start(const plan::Access& access, std::vector<llvm::Value*> indices) {
    indices.resize(access.at.strides.size(), e_.integer(0));
    return e_.address(access, indices);
  }

  // An operand that is the same in all turns of the inner axes of the batch is packed before them, if it is one block.
  void pack_before(const std::vector<llvm::Value*>& indices) {
    auto stays = [&](const plan::Access& access) {
      for (std::size_t i = indices.size(); i < c_.batch.size(); ++i)
        if (access.at.strides[i] != 0) return false;
      return indices.size() < c_.batch.size() && !plan::keeps_totals(c_);
    };
    if (!is_packed_a_ && c_.tile.a != Packing::none && c_.tile.height >= m_ && stays(c_.a)) {
      is_packed_a_ = true;
      a_ = start(c_.a, indices);
      pack_rows(e_.integer(0), e_.integer(m_), e_.integer(0), e_.integer(k_));
    }
    if (!is_packed_b_ && c_.tile.b != Packing::none && c_.tile.width >= n_ && stays(c_.b)) {
      is_packed_b_ = true;
      b_operand_ = start(c_.b, indices);
      pack_panels(e_.integer(0), e_.integer(n_), e_.integer(0), e_.integer(k_));
    }
  }

  void over_batch(std::vector<llvm::Value*>& indices) {
    pack_before(indices);
    if (indices.size() < c_.batch.size()) {
      e_.loop(e_.integer(0), e_.integer(c_.batch[indices.size()]), 1, Code::Shape::rolled, [&](llvm::Value* index) {
        indices.push_back(index);
        over_batch(indices);
        indices.pop_back();
      });
      return;
    }
    if (!is_packed_a_) a_ = start(c_.a, indices);
    if (!is_packed_b_) b_operand_ = start(c_.b, indices);
    tile_.set_result(start(c_.c, indices));
    blocks(k_, c_.tile.depth, [&](llvm::Value* k, llvm::Value* depth) { over_k(k, depth); });
  }

  void find_offsets(llvm::Value* k, llvm::Value* depth) {
    if (c_.tile.a == Packing::across_k && !ak_.is_even()) fill_offsets(e_, ak_, k, depth, a_table_);
    if (c_.tile.b == Packing::across_k && !bk_.is_even()) fill_offsets(e_, bk_, k, depth, b_table_);
  }

  void over_k(llvm::Value* k, llvm::Value* depth) {
    if (plan::keeps_totals(c_)) find_offsets(k, depth);
    const bool once = c_.tile.height >= m_;  // all rows are packed, for all blocks of columns
    if (once && !is_packed_a_) pack_rows(e_.integer(0), e_.integer(m_), k, depth);
    blocks(n_, c_.tile.width, [&](llvm::Value* n, llvm::Value* width) {
      if (!is_packed_b_) pack_panels(n, width, k, depth);
      blocks(m_, c_.tile.height, [&](llvm::Value* m, llvm::Value* height) {
        if (!once) pack_rows(m, height, k, depth);
        tile_.find_rows(m, height);
        tiles(m, height, n, width, k, depth);
      });
    });
  }

  void pack_rows(llvm::Value* m, llvm::Value* height, llvm::Value* k, llvm::Value* depth) {
    if (c_.tile.a == Packing::none) return;
    const std::int64_t rows = c_.tile.rows;
    const bool along = c_.tile.a == Packing::along_k;
    const std::int64_t row = along ? plan::row_length(c_) : rows;
    e_.loop(e_.integer(0), height, rows, Code::Shape::rolled, [&](llvm::Value* i) {
      llvm::Value* first = b_.CreateNSWAdd(m, i);
      llvm::Value* target = at(e_.base(c_.packed_a), element_, b_.CreateNSWMul(i, e_.integer(along ? row : c_.tile.depth)));
      if (along) {
        const Block block{element_, c_.tile.lanes, a_, target, row, &ak_, k, depth};
        copy(e_, block, side(am_, first, rows), e_.integer(rows));
      } else {
        llvm::Value* held = part(first, m_, rows);
        clear_unless(held, rows, target);
        const Block block{element_, c_.tile.lanes, a_, target, row, &am_, first, held};
        copy(e_, block, ak_.is_even() ? Offsets(ak_, k, false) : Offsets(a_table_), depth);
      }
    });
  }

  void pack_panels(llvm::Value* n, llvm::Value* width, llvm::Value* k, llvm::Value* depth) {
    if (c_.tile.b == Packing::none) return;
    const std::int64_t panel = c_.tile.panel();
    e_.loop(e_.integer(0), width, panel, Code::Shape::rolled, [&](llvm::Value* j) {
      llvm::Value* first = b_.CreateNSWAdd(n, j);
      llvm::Value* target = at(e_.base(c_.packed_b), element_, b_.CreateNSWMul(j, e_.integer(c_.tile.depth)));
      if (c_.tile.b == Packing::along_k) {
        const Block block{element_, plan::turned(c_), b_operand_, target, panel, &bk_, k, depth};
        turn(e_, block, side(bn_, first, panel), panel);
      } else {
        llvm::Value* held = part(first, n_, panel);
        clear_unless(held, panel, target);
        const Block block{element_, c_.tile.lanes, b_operand_, target, panel, &bn_, first, held};
        copy(e_, block, bk_.is_even() ? Offsets(bk_, k, false) : Offsets(b_table_), depth);
      }
    });
  }

  // Where so many rows or columns are, from the first on.
  Offsets side(const plan::Walk& walk, llvm::Value* first, std::int64_t count) {
    if (walk.is_even()) return {walk, first, walk.count % count != 0};
    llvm::Value* table = e_.local(b_.getInt64Ty(), static_cast<std::uint64_t>(count), "side");
    fill_offsets(e_, walk, first, e_.integer(count), table);
    return Offsets(table);
  }

  // A tile that is not full has zeros in it, and nothing that the last one left.
  void clear_unless(llvm::Value* held, std::int64_t full, llvm::Value* target) {
    if (llvm::isa<llvm::ConstantInt>(held) && llvm::cast<llvm::ConstantInt>(held)->getSExtValue() == full) return;
    const std::uint64_t bytes = static_cast<std::uint64_t>(full * c_.tile.depth) * element_size(element_);
    e_.when(b_.CreateICmpSLT(held, e_.integer(full)),
            [&] { b_.CreateMemSet(target, b_.getInt8(0), bytes, llvm::Align(element_size(element_))); });
  }

  void tiles(llvm::Value* m, llvm::Value* height, llvm::Value* n, llvm::Value* width, llvm::Value* k, llvm::Value* depth) {
    const plan::Tile& tile = c_.tile;
    e_.loop(e_.integer(0), height, tile.rows, Code::Shape::rolled, [&](llvm::Value* i) {
      RegisterTile::Place place;
      place.block_row = i;
      place.m = b_.CreateNSWAdd(m, i);
      if (tile.a == Packing::none) {
        // The last tile begins earlier: what it computes again is the same.
        place.m = place.block_row = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, place.m, e_.integer(m_ - tile.rows));
        place.a = at(a_, element_, b_.CreateNSWMul(place.m, e_.integer(am_.stride())));
      } else {
        const std::int64_t row = tile.a == Packing::along_k ? plan::row_length(c_) : tile.depth;
        place.a = at(e_.base(c_.packed_a), element_, b_.CreateNSWMul(i, e_.integer(row)));
      }
      e_.loop(e_.integer(0), width, tile.panel(), Code::Shape::rolled, [&](llvm::Value* j) {
        place.n = b_.CreateNSWAdd(n, j);
        if (tile.b == Packing::none) {
          place.n = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, place.n, e_.integer(n_ - tile.panel()));
          place.b = at(b_operand_, element_, place.n);
        } else {
          place.b = at(e_.base(c_.packed_b), element_, b_.CreateNSWMul(j, e_.integer(tile.depth)));
        }
        place.k = k;
        place.depth = depth;
        tile_.emit(place);
      });
    });
  }

  Code& e_;
  const plan::Contraction& c_;
  llvm::IRBuilder<>& b_;
  const Element element_;
  const std::int64_t m_, n_, k_;
  const plan::Walk am_ = plan::walk(c_, Group::m, c_.a), ak_ = plan::walk(c_, Group::k, c_.a);
  const plan::Walk bn_ = plan::walk(c_, Group::n, c_.b), bk_ = plan::walk(c_, Group::k, c_.b);
  RegisterTile tile_;
  llvm::Value *a_ = nullptr, *b_operand_ = nullptr;  // where the operands begin
  llvm::Value *a_table_ = nullptr, *b_table_ = nullptr;
  bool is_packed_a_ = false, is_packed_b_ = false;  // before the loops that are being written
};

}  // namespace

void emit(Code& code, const plan::Contraction& contraction) {
  if (contraction.base.valid()) code.copy(contraction.base, contraction.c.buffer);
  std::vector<plan::RegisterId> uses;
  plan::for_each_register(contraction, [&](plan::Role, plan::RegisterId id) { uses.push_back(id); });
  code.outline("contraction", false, given_to(contraction, std::move(uses)), {}, [&] { ContractionEmitter(code, contraction).run(); });
}

}  // namespace bpc::backend
