// The plan: what compiled code does, said without LLVM. IR values become registers (rank 0) and buffers (the rest); ops become steps: fused
// loop nests ("kernels"), contractions, host scalars and structured control flow. A plan can be printed, and a code generator walks it
// once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backend/failure/site.h"
#include "ir/function.h"

namespace bpc::plan {

using BufferId = ir::Id<struct BufferTag>;
using RegisterId = ir::Id<struct RegisterTag>;
using StorageId = ir::Id<struct StorageTag>;
using SiteId = ir::Id<struct SiteTag>;
using PlaceId = ir::Id<struct PlaceTag>;

// A scalar: an SSA value of the host code or of one kernel's body. In memory only between parts (Plan::frame).
struct Register {
  Element element = Element::f32;
  std::string name;
  bool is_address = false;  // of a tape, in place of an element
  PlaceId place{};          // of the op it was made for
};

// Dense row-major memory. Several buffers may share one storage where their lives do not overlap.
struct Buffer {
  Element element = Element::f32;
  std::int64_t count = 0;
  std::string name;
  StorageId storage;  // of a constant from the beginning; of all others by assign_storage (passes.h)
};

struct Storage {
  // entry: of a tape, where the pop that gives it has found it; room in the arena is for the zeros that an empty tape gives.
  enum class Kind : std::uint8_t { argument, output, constant, arena, entry };
  Kind kind = Kind::arena;
  std::size_t index = 0;   // which argument, output or constant; of others unused
  std::size_t offset = 0;  // bytes into the arena, a multiple of kAlignment
  std::size_t bytes = 0;
};
inline constexpr std::size_t kAlignment = runtime::Tensor::kAlignment;

// offset + sum over axes of strides[a] * index[a] + sum of factor * register. Counts elements, not bytes. The axes are those of the
// iteration space it is used in; a host instruction has none. Registers in it are i64.
struct Affine {
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
  std::vector<std::pair<RegisterId, std::int64_t>> terms;
  bool operator==(const Affine&) const = default;
};

struct Access {
  BufferId buffer;
  Affine at;
  bool operator==(const Access&) const = default;
};

// ---- scalar instructions, of the host and of kernel bodies alike ----

struct Constant {  // the exact value in the result's element type; bool is 0 or 1
  double real = 0;
  std::int64_t integer = 0;
};
struct Position {  // the value of an affine form of the indices
  Affine at;
};
struct Load {
  Access from;
};
struct Compute {  // cast converts to the result's element
  scalar::Operator code;
  std::vector<RegisterId> operands;
  std::int64_t order = 0;  // of those that have one
  SiteId fails{};          // integer division: the site to report for a zero divisor
};
struct Index {  // as i64; a negative one counts from the end of `size` elements
  RegisterId from;
  std::int64_t size = 0;
};
struct Instruction {
  RegisterId result;
  std::variant<Constant, Position, Load, Compute, Index> what;
};

// ---- kernels ----

struct Store {
  RegisterId value;
  Access to;
  BufferId base;      // if valid: sums are added to what is there, which begins as base; batch after batch
  bool adds = false;  // the value is added to what is there, which begins as base, turn by turn: several may write one element
};

// Folds `value` over the reduced axes (all axes of the kernel whose Axis::reduced is set), in the order that the kernel's tree says. Sums
// of f32 are accumulated in f64.
struct Reduction {
  enum class Kind : std::uint8_t { sum, max, min, any, all, argmax, argmin };
  Kind kind;
  RegisterId value;
  std::variant<RegisterId, Access> to;  // a finished value of rank 0; or elements, whose strides of reduced axes are 0, unless running
  Affine position{};                    // argmax, argmin: the index to return, over the reduced axes; ascending in loop order
  bool running = false;                 // cumsum: the accumulator is stored at every turn (along one reduced axis, in order)
  bool of_products = false;             // of an einsum: products may be added up in the element type, a block at a time (Contraction)
  bool narrow = false;                  // such products of f32 are: each partial in f32, then all in f64
  bool compensated = false;             // f64: sums of the tree's blocks go to a total, beside what rounding lost of it
};
// Whether it gives a position, that of the first of the best terms.
inline bool gives_position(const Reduction& fold) {
  return fold.kind == Reduction::Kind::argmax || fold.kind == Reduction::Kind::argmin;
}
// Whether the terms of one axis stay together: those of a running sum, and of positions.
inline bool has_order(const Reduction& fold) {
  return fold.running || gives_position(fold);
}

struct Axis {
  std::int64_t size = 0;
  bool reduced = false;
};

// In which order the reductions of a kernel fold their terms: that of the turns, but for two things. It is fixed here, so that no result
// depends on how wide, unrolled or parallel the code is that folds.
struct Tree {
  // Along this axis, turn i goes to partial i mod `partials`, as long as all of these get one; then they are joined by halves (partial j
  // with j + partials/2), and the turns that are left follow one by one.
  std::size_t axis = 0;
  std::int64_t partials = 1;
  // After so many turns of this axis, the sums so far go to the totals of compensated reductions (Knuth's two-sum). 0: there are none.
  std::size_t block_axis = 0;
  std::int64_t block = 0;
  bool operator==(const Tree&) const = default;
};

// How a kernel is cut into parts, which threads share: along this axis, each but the last has so many turns. An axis that is reduced is the
// outermost: each part folds its own turns as the tree says, and what they made is joined in their order. It does not depend on the number
// of threads.
struct Cut {
  std::size_t axis = 0;
  std::int64_t parts = 1;  // 1: it is not cut
  std::int64_t turns = 0;
  bool operator==(const Cut&) const = default;
};

// One loop nest. With reduced axes the order is kept…, reduced… (accumulators are registers), or kept…, reduced…, kept with lanes.
struct Kernel {
  std::vector<Axis> axes;  // outermost first
  std::int64_t lanes = 0;  // of the innermost axis, which is kept: so many accumulators lie side by side. 0: it is reduced, or nothing is
  bool in_strips = false;  // the innermost axis is a short strip of another, whose turns are to be made at once
  Tree tree;
  Cut cut;
  BufferId left;  // what each part has folded (parts.h), where the axis that is cut is reduced
  std::vector<Instruction> body;
  std::vector<Store> stores;
  std::vector<Reduction> reductions;
};

// Kernels whose outermost axes have `count` rows in common, each of as many turns of a kernel's own: for one tile of rows after the other,
// each kernel runs, so that what it reads of those before it is in a cache. Along its outermost axis a kernel may be kept or reduced.
// Buffers that no other step knows, `inner`, have room for one tile: its first row, `start`, is in their forms. Threads share the rows in
// parts of some tiles each, for each of which inner buffers have room; the number of the part is in their forms then. Both registers are
// seen in this step alone.
struct Rows {
  std::int64_t count = 0, tile = 1;
  RegisterId start, part;  // part: invalid where there is one alone
  std::vector<BufferId> inner;
  Cut cut;  // of the rows; a kernel that reduces them leaves what it folded, as if it were cut
  std::vector<Kernel> kernels;
};

// Sums of fewer products are not worth a packed panel, nor factors that are made first, to be read again and again.
inline constexpr double kFewProducts = 4096;

// How an operand of a contraction comes to the register tile: read where it lies, or from a copy of a block of it, which is made by reading
// along k, or along the other axis of the operand.
enum class Packing : std::uint8_t { none, along_k, across_k };

// The register tile of a contraction and the blocks around it. What is in none of these depends on the target: each element of the result
// is the same sum in the same order, whatever the tile.
struct Tile {
  std::int64_t rows = 0, vectors = 0, lanes = 0;  // accumulators: rows of so many vectors of so many lanes
  std::int64_t height = 0, width = 0, depth = 0;  // how much of m, n and k is packed at once; whole tiles
  // Read in place is what walks evenly, where one block is all of k; and windows of which all tiles look alike.
  Packing a = Packing::none, b = Packing::across_k;
  std::int64_t panel() const { return vectors * lanes; }
};

// How a contraction is cut into parts, which threads share: along an axis of the batch; or along m and n, each walked as if it were one
// axis. An operand of which one block is all is packed before these, in parts as well.
struct Grid {
  Cut batch, m, n;            // of m and n: in whole tiles, all of them where it is not cut
  std::int64_t packings = 1;  // parts of the packing
  std::int64_t cells() const { return m.parts * n.parts; }
  std::int64_t parts() const { return batch.parts * cells(); }
};

// c = sum over k of a * b. Axes come in groups: batch (axes of a, b and c), m (of a and c), n (of b and c), k (of a and b). The last three
// are each walked as if they were one axis. Strides of each operand are over batch…, m…, n…, k…; real elements.
struct Contraction {
  std::vector<std::int64_t> batch, m, n, k;  // sizes, outermost first
  Access a, b, c;                            // a ignores n, b ignores m, c ignores k
  BufferId base;                             // if valid: sums are added to what is there, which begins as base; batch after batch
  bool fused = false;                        // a product is rounded together with the sum it is added to
  std::int64_t block = 0;                    // of k: so many products are added up before they go to a total in f64; 0: all of them
  Tile tile;
  Grid grid;
  BufferId packed_a, packed_b, totals, offsets;  // memory to work in, where it is needed (contraction.h)
};

// ---- host steps ----

struct Step;
using Steps = std::vector<Step>;

struct CarriedRegister {
  RegisterId init, argument, next, result;
};
// `argument` and `result` share a storage; `init` and `next` are copied into it unless they share it too.
struct CarriedBuffer {
  BufferId init, argument, next, result;
};
struct JoinedRegister {
  RegisterId then, otherwise, result;
};
struct JoinedBuffer {
  BufferId then, otherwise, result;  // a side is copied into result unless it shares its storage
};

struct If {
  RegisterId condition;
  Steps then, otherwise;
  std::vector<JoinedRegister> registers;
  std::vector<JoinedBuffer> buffers;
};
struct For {  // from lo up (down) to hi exclusive in steps of by; a zero step fails at `site`
  RegisterId lo, hi, by, index;
  Steps body;
  std::vector<CarriedRegister> registers;
  std::vector<CarriedBuffer> buffers;
  SiteId site;
};
struct While {
  Steps condition;  // sees the arguments
  RegisterId holds;
  Steps body;
  std::vector<CarriedRegister> registers;
  std::vector<CarriedBuffer> buffers;
  SiteId site;  // of the iteration limit
};

// A value where it must be at hand: a register or a whole buffer.
using Datum = std::variant<RegisterId, BufferId>;
struct Print {
  SiteId site;
  std::vector<Datum> items;
};
// Fails at `site` unless `condition` holds.
struct Assert {
  RegisterId condition;
  SiteId site;
  std::vector<Datum> shown;  // the op's operands, condition first
};
// result = index, counted from the end when negative, as i64. Fails at `site` unless result and result + span are in 0..size-1.
struct CheckIndex {
  RegisterId index, result;
  std::int64_t size = 0;
  std::int64_t span = 0;  // from the first to the last element of the slice, may be negative
  SiteId site;
  std::uint32_t which = 0;  // which dynamic axis of the op
  bool empty = false;       // the slice has no elements along the axis: any start in 0..size will do
};
// Fails at `site` unless each of the buffer's elements is in -size..size-1.
struct CheckIndices {
  BufferId indices;
  std::int64_t size = 0;
  SiteId site;
  std::uint32_t which = 0;  // which of the indices of the op
};
// A kernel of the runtime, bpc_rt_<function> in runtime/c_abi.h: given the inputs, the output, what it works in, and the sizes. Its status
// is 0; otherwise the step fails at `site`, if that is one.
struct Library {
  std::string function;
  std::vector<BufferId> inputs;
  BufferId output, work;
  std::vector<std::int64_t> sizes;
  SiteId site{};
};
struct Random {
  BufferId to;
  bool normal = false;
  std::uint64_t seed = 0, stream = 0;
  std::optional<Datum> turns;  // none: turn 0. A tensor of i64 has one for each part of `to`
};

struct SetOutput {  // of a scalar; tensors are made in place
  std::size_t index = 0;
  RegisterId value;
};
// `to` is the memory of an argument that is donated to an output: `from` is copied there unless it is there already.
struct Donate {
  BufferId from, to;
};

// ---- tapes: entries one after the other in chunks of memory, a chain of them for each root ----

// Where a tape stands: the chunk of its top entry, and the end of that entry. Registers that hold addresses. A push writes behind the end
// and a pop writes nothing, so that tapes, each used once, can be joined and carried like scalars.
struct Tape {
  RegisterId chunk, top;
};
struct NewTape {
  Tape to;
  std::optional<std::uint32_t> root;  // one of Plan::roots, whose chunks are used again each time; none: a new one each time
  SiteId site;                        // of memory that is not to be had
};
struct CopyTape {  // to a root's chunks, in place of what they held
  Tape from, to;
  std::uint32_t root = 0;
  std::size_t entry = 0;  // bytes
  SiteId site;
};
struct Push {
  Tape from, to;
  Datum value;
  SiteId site;
};
struct Pop {
  Tape from, to;
  Datum value;  // zeros, and the same tape, where it was empty
};

struct Step {
  std::variant<Instruction, Kernel, Rows, Contraction, If, For, While, Print, Assert, CheckIndex, CheckIndices, Library, Random, SetOutput,
               Donate, NewTape, CopyTape, Push, Pop>
      what;
  PlaceId place{};  // of the op it was made for
};

// What code is generated for.
struct Target {
  std::size_t vector_bytes = 32;                             // of kernels
  std::size_t tile_bytes = 32;                               // of the vectors of a contraction's tile
  std::int64_t vector_registers = 16;                        // for these
  std::size_t near_bytes = 32 << 10, far_bytes = 512 << 10;  // of the first and the second cache
  bool fuses = true;                                         // multiplies and adds in one instruction
  double shared_cycles = 80'000;                             // of a step that is worth the time of several threads
};

struct Plan {
  Target target;
  std::vector<Register> registers;
  std::vector<Buffer> buffers;
  std::vector<Storage> storages;
  std::vector<std::vector<std::byte>> constants;  // data of Storage::Kind::constant
  std::vector<backend::Site> sites;               // where it may stop or print
  std::vector<std::vector<Span>> places;          // of ops: the expression, then the calls it was inlined through, innermost first
  bool is_timed = false;                          // steps that take time (step_costs.h) are measured in each run
  runtime::Signature signature;
  std::vector<Datum> parameters;
  std::vector<BufferId>
      outputs;  // a tensor's buffer, whose storage is the output, or its donor; invalid for a scalar, which has a SetOutput
  Steps body;
  std::size_t arena_bytes = 0;
  SiteId largest;           // of the op whose result takes the most memory, if there is one
  std::uint32_t roots = 0;  // of tapes
  BufferId frame;  // 8 bytes for each register, for those that pass from one part to another. Invalid where nothing is cut into parts

  RegisterId add(Register made) { return add_to<RegisterId>(registers, std::move(made)); }
  BufferId add(Buffer made) { return add_to<BufferId>(buffers, std::move(made)); }
  StorageId add(const Storage& made) { return add_to<StorageId>(storages, made); }
  SiteId add(backend::Site made) { return add_to<SiteId>(sites, std::move(made)); }

  const Register& at(RegisterId id) const { return registers[id.index]; }
  const Buffer& at(BufferId id) const { return buffers[id.index]; }
  std::size_t bytes(BufferId id) const { return static_cast<std::size_t>(at(id).count) * element_size(at(id).element); }
  const Storage& storage(BufferId id) const { return storages[at(id).storage.index]; }

 private:
  template <class Id, class T>
  static Id add_to(std::vector<T>& list, T made) {
    list.push_back(std::move(made));
    return {static_cast<std::uint32_t>(list.size() - 1)};
  }
};

// A list of more than kMostSteps is cut into parts of kPartSteps, each a function: LLVM takes quadratic time in the size of a function.
inline constexpr std::size_t kMostSteps = 300, kPartSteps = 100;

// `function` must hold no derivative. The passes, in order: passes.h.
Plan make_plan(const ir::Function& function, const Target& target);

// A listing for people and tests, one line per step or instruction.
std::string print(const Plan& plan);

}  // namespace bpc::plan
