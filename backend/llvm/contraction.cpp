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
    const plan::Grid& grid = c_.grid;
    if (c_.offsets.valid()) set_k_tables(e_.base(c_.offsets));
    if (!plan::keeps_totals(c_)) find_offsets(e_.integer(0), e_.integer(k_));
    if (grid.batch.parts * grid.cells() > 1) {
      llvm::Value* threads = b_.CreateCall(e_.callee("bpc_rt_threads", b_.getInt64Ty(), {}));
      alone_ = b_.CreateICmpEQ(threads, e_.integer(1));
    }
    if (grid.batch.parts > 1)
      parts(unless_alone(grid.batch.parts), [&](llvm::Value* number, llvm::Value* thread) {
        enter(thread);
        turns_ = range(grid.batch, number, c_.batch[grid.batch.axis]);
        over_batch();
      });
    else
      over_batch();
  }

 private:
  // A part of an axis.
  struct Range {
    llvm::Value *from = nullptr, *length = nullptr;
    std::int64_t size = 0;  // of the axis
  };
  Range whole(std::int64_t size) { return {e_.integer(0), e_.integer(size), size}; }
  // One thread does as one part what it would only do again for others: each operand is packed once.
  llvm::Value* unless_alone(std::int64_t parts) { return b_.CreateSelect(alone_, e_.integer(1), e_.integer(parts)); }
  Range range(const plan::Cut& cut, llvm::Value* part, std::int64_t size) {
    if (cut.parts == 1) return whole(size);
    llvm::Value* turns = b_.CreateSelect(alone_, e_.integer(size), e_.integer(cut.turns));
    llvm::Value* from = b_.CreateNSWMul(part, turns);
    return {from, b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateNSWSub(e_.integer(size), from), turns), size};
  }

  void parts(llvm::Value* count, const std::function<void(llvm::Value* part, llvm::Value* thread)>& body) {
    e_.parts(count, plan::most_threads(c_), body);
  }
  // What follows is written for a part of the batch: the thread works in what is its own.
  void enter(llvm::Value* thread) {
    thread_ = thread;
    if (c_.offsets.valid()) {
      llvm::Value* tables = room(c_.offsets, Element::i64, plan::offsets_room(c_), thread);
      tile_.set_tables(tables);
      if (plan::keeps_totals(c_)) set_k_tables(tables);
    }
    if (plan::keeps_totals(c_)) tile_.set_totals(b_.CreateNSWMul(thread, e_.integer(plan::totals_room(c_))));
  }

  // Of so many elements, those with this number.
  llvm::Value* room(plan::BufferId scratch, Element element, std::int64_t count, llvm::Value* number) {
    return number ? at(e_.base(scratch), element, b_.CreateNSWMul(number, e_.integer(count))) : e_.base(scratch);
  }
  void set_k_tables(llvm::Value* address) {
    a_table_ = address;
    b_table_ = at(a_table_, Element::i64, e_.integer(c_.tile.depth));
  }
  // Row `i` of those that were packed from row m on; what is packed at once lies where it is in all of it.
  llvm::Value* packed_row(llvm::Value* m, llvm::Value* i) {
    const std::int64_t row = c_.tile.a == Packing::along_k ? plan::row_length(c_) : c_.tile.depth;
    if (a_at_once_) i = b_.CreateNSWAdd(m, i);
    llvm::Value* first = room(c_.packed_a, element_, plan::packed_a_room(c_), a_at_once_ && is_cell_ ? nullptr : thread_);
    return at(first, element_, b_.CreateNSWMul(i, e_.integer(row)));
  }
  llvm::Value* packed_panel(llvm::Value* n, llvm::Value* j) {
    if (b_at_once_) j = b_.CreateNSWAdd(n, j);
    llvm::Value* first = room(c_.packed_b, element_, plan::packed_b_room(c_), b_at_once_ && is_cell_ ? nullptr : thread_);
    return at(first, element_, b_.CreateNSWMul(j, e_.integer(plan::panel_length(c_))));
  }

  llvm::Value* at(llvm::Value* base, Element element, llvm::Value* index) { return b_.CreateInBoundsGEP(e_.type(element), base, index); }
  // Where a row or column of an operand that is not packed begins; its table begins at k, if it walks k unevenly.
  llvm::Value* in_place(llvm::Value* base, const plan::Walk& side, llvm::Value* index, const plan::Walk& along_k, llvm::Value* k) {
    llvm::Value* first = at(base, element_, offset(e_, side, index));
    return along_k.is_even() ? at(first, element_, b_.CreateNSWMul(k, e_.integer(along_k.stride()))) : first;
  }
  // What is left of `size` from `from` on, at most `most`.
  llvm::Value* part(llvm::Value* from, std::int64_t size, std::int64_t most) {
    if (size % most == 0 || most >= size) return e_.integer(std::min(most, size));
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateNSWSub(e_.integer(size), from), e_.integer(most));
  }
  // body(start, length) for each block of at most `most` of the range.
  void blocks(const Range& range, std::int64_t most, const std::function<void(llvm::Value*, llvm::Value*)>& body) {
    if (range.size <= most) return body(range.from, range.length);
    llvm::Value* end = b_.CreateNSWAdd(range.from, range.length);
    const bool even = llvm::isa<llvm::Constant>(range.length) && range.size % most == 0;
    e_.loop(range.from, end, most, Code::Shape::rolled, [&](llvm::Value* start) {
      llvm::Value* left = b_.CreateNSWSub(end, start);
      body(start, even ? e_.integer(most) : b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, left, e_.integer(most)));
    });
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
    const bool a = !is_packed_a_ && a_at_once_ && stays(c_.a), b = !is_packed_b_ && b_at_once_ && stays(c_.b);
    if (a) a_ = start(c_.a, indices);
    if (b) b_operand_ = start(c_.b, indices);
    pack(a, b, e_.integer(0), e_.integer(k_));
    is_packed_a_ |= a;
    is_packed_b_ |= b;
  }

  void over_batch() {
    std::vector<llvm::Value*> indices;
    over_batch(indices);
  }
  void over_batch(std::vector<llvm::Value*>& indices) {
    pack_before(indices);
    if (indices.size() < c_.batch.size()) {
      const bool is_cut = c_.grid.batch.parts > 1 && indices.size() == c_.grid.batch.axis;
      const Range turns = is_cut ? turns_ : whole(c_.batch[indices.size()]);
      e_.loop(turns.from, b_.CreateNSWAdd(turns.from, turns.length), 1, Code::Shape::rolled, [&](llvm::Value* index) {
        indices.push_back(index);
        over_batch(indices);
        indices.pop_back();
      });
      return;
    }
    if (!is_packed_a_) a_ = start(c_.a, indices);
    if (!is_packed_b_) b_operand_ = start(c_.b, indices);
    tile_.set_result(start(c_.c, indices));
    blocks(whole(k_), c_.tile.depth, [&](llvm::Value* k, llvm::Value* depth) { over_k(k, depth); });
  }

  void find_offsets(llvm::Value* k, llvm::Value* depth) {
    if (c_.tile.a != Packing::along_k && !ak_.is_even()) fill_offsets(e_, ak_, k, depth, a_table_);
    if (c_.tile.b != Packing::along_k && !bk_.is_even()) fill_offsets(e_, bk_, k, depth, b_table_);
  }

  void over_k(llvm::Value* k, llvm::Value* depth) {
    if (plan::keeps_totals(c_)) find_offsets(k, depth);
    pack(a_at_once_ && !is_packed_a_, b_at_once_ && !is_packed_b_, k, depth);
    over_cells([&](const Range& rows, const Range& columns) {
      blocks(columns, c_.tile.width, [&](llvm::Value* n, llvm::Value* width) {
        if (!b_at_once_) pack_panels(n, width, k, depth);
        blocks(rows, c_.tile.height, [&](llvm::Value* m, llvm::Value* height) {
          if (!a_at_once_) pack_rows(m, height, k, depth);
          llvm::Value* first = whole_tile(m);
          tile_.find_rows(first, b_.CreateNSWSub(b_.CreateNSWAdd(m, height), first));
          tiles(m, height, n, width, k, depth);
        });
      });
    });
  }

  // Packs all of an operand, or of both, but for k.
  void pack(bool a, bool b, llvm::Value* k, llvm::Value* depth) {
    auto both = [&](const Range& rows, const Range& columns) {
      if (a) pack_rows(rows.from, rows.length, k, depth);
      if (b) pack_panels(columns.from, columns.length, k, depth);
    };
    if (!a && !b) return;
    if (c_.grid.packings == 1) return both(whole(m_), whole(n_));
    parts(unless_alone(c_.grid.packings), [&](llvm::Value* number, llvm::Value*) {
      both(range(plan::packing_of_a(c_), number, m_), range(plan::packing_of_b(c_), number, n_));
    });
  }

  void over_cells(const std::function<void(const Range& rows, const Range& columns)>& body) {
    const plan::Grid& grid = c_.grid;
    if (grid.cells() == 1) return body(whole(m_), whole(n_));
    parts(unless_alone(grid.cells()), [&](llvm::Value* number, llvm::Value* thread) {
      thread_ = thread;
      is_cell_ = true;
      if (c_.offsets.valid()) tile_.set_tables(room(c_.offsets, Element::i64, plan::offsets_room(c_), thread));
      body(range(grid.m, b_.CreateUDiv(number, e_.integer(grid.n.parts)), m_),
           range(grid.n, b_.CreateURem(number, e_.integer(grid.n.parts)), n_));
    });
    thread_ = nullptr;
    is_cell_ = false;
  }

  void pack_rows(llvm::Value* m, llvm::Value* height, llvm::Value* k, llvm::Value* depth) {
    if (c_.tile.a == Packing::none) return;
    const std::int64_t rows = c_.tile.rows;
    const bool along = c_.tile.a == Packing::along_k;
    const std::int64_t row = along ? plan::row_length(c_) : rows;  // from one vector to the next
    e_.loop(e_.integer(0), height, rows, Code::Shape::rolled, [&](llvm::Value* i) {
      llvm::Value* first = b_.CreateNSWAdd(m, i);
      llvm::Value* target = packed_row(m, i);
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
      llvm::Value* target = packed_panel(n, j);
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

  // The last tile of rows that are not packed begins earlier: what it computes again is the same.
  llvm::Value* whole_tile(llvm::Value* m) {
    if (c_.tile.a != Packing::none || m_ % c_.tile.rows == 0) return m;
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, m, e_.integer(m_ - c_.tile.rows));
  }

  void tiles(llvm::Value* m, llvm::Value* height, llvm::Value* n, llvm::Value* width, llvm::Value* k, llvm::Value* depth) {
    const plan::Tile& tile = c_.tile;
    e_.loop(e_.integer(0), height, tile.rows, Code::Shape::rolled, [&](llvm::Value* i) {
      RegisterTile::Place place;
      place.block_row = i;
      place.m = b_.CreateNSWAdd(m, i);
      if (tile.a == Packing::none) {
        place.m = whole_tile(place.m);
        place.block_row = b_.CreateNSWSub(place.m, whole_tile(m));
        place.a = in_place(a_, am_, place.m, ak_, k);
        if (!ak_.is_even()) place.a_table = a_table_;
      } else {
        place.a = packed_row(m, i);
      }
      e_.loop(e_.integer(0), width, tile.panel(), Code::Shape::rolled, [&](llvm::Value* j) {
        place.n = b_.CreateNSWAdd(n, j);
        if (tile.b == Packing::none) {
          place.n = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, place.n, e_.integer(n_ - tile.panel()));
          place.b = in_place(b_operand_, bn_, place.n, bk_, k);
          if (!bk_.is_even()) place.b_table = b_table_;
        } else {
          place.b = packed_panel(n, j);
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
  const bool a_at_once_ = plan::packs_a_at_once(c_), b_at_once_ = plan::packs_b_at_once(c_);
  llvm::Value* alone_ = nullptr;   // whether one thread does all parts as one
  llvm::Value* thread_ = nullptr;  // the number of the one that does the part being written
  bool is_cell_ = false;           // it is one along m and n: what is packed at once is for all of these
  Range turns_;                    // of the part, where the batch is cut
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
