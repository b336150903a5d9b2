// The register tile of a contraction, the blocks around it, and which operand lies along its vectors: what takes the fewest cycles by a
// rough count of those that the products, the packing and the storing need.
#include <algorithm>
#include <cmath>
#include <optional>

#include "backend/plan/contraction.h"

namespace bpc::plan {

namespace {

constexpr std::int64_t kMostRows = 16;    // of a tile, whose code is written out
constexpr std::int64_t kMostVectors = 8;  // in a row of it
constexpr std::int64_t kMostTurned = 8;   // rows and columns of the square that is turned at once
constexpr std::int64_t kFewPanels = 4;    // which read an operand again so seldom that it is not packed
constexpr std::int64_t kFewTiles = 2;     // the same, of rows of tiles
constexpr std::int64_t kCacheLine = 64;   // bytes
constexpr std::int64_t kAtOnce = 32;  // second caches that all rows may fill when they are packed, rather than again for each block of b
constexpr double kFewReads = 1.2;     // of an element, on average, by windows that overlap
constexpr double kFromFar = 0.3;      // cycles for a line from the second cache, beside what hides it
constexpr std::int64_t kMostThreads = 16;  // each packs for itself
constexpr std::int64_t kThin = 4;          // fewer rows than that pay for no packing

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}
std::int64_t tiles(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step;
}

// Which operand is windows that are read in place, if one is.
enum class Windows : std::uint8_t { none, a, b };

// Whether an operand is windows that overlap, so that most of its elements are read several times: a packed copy would be much larger than
// it is.
bool are_windows(const Contraction& c, Group group, const Access& operand) {
  const Walk own = walk(c, group, operand), k = walk(c, Group::k, operand);
  double reach = 1;
  for (const Walk* walk : {&own, &k})
    for (std::size_t i = 0; i < walk->sizes.size(); ++i)
      reach += static_cast<double>(walk->sizes[i] - 1) * std::abs(static_cast<double>(walk->strides[i]));
  return kFewReads * reach <= static_cast<double>(own.count) * static_cast<double>(k.count);
}

// The most rows, at most so many, that lie equally in all tiles of a walk.
std::int64_t most_alike(const Walk& walk, std::int64_t most) {
  std::int64_t rows = 1;
  for (std::size_t i = walk.sizes.size(); i-- > 0;) {
    std::int64_t part = std::min(most / rows, walk.sizes[i]);
    while (walk.sizes[i] % part != 0) --part;
    rows *= part;
    if (part < walk.sizes[i]) break;
  }
  return rows;
}

Windows windows_in_place(const Contraction& c) {
  if (c.tile.b == Packing::none && are_windows(c, Group::n, c.b)) return Windows::b;
  return c.tile.a == Packing::none && are_windows(c, Group::m, c.a) ? Windows::a : Windows::none;
}

// What a tile takes: a core starts two products, or two loads, in each cycle, and each product waits four for the one before. Where windows
// are comes from a table; a vector of one lies across two lines, and most of it is near, where the window before has left it.
double tile_cycles(const Tile& tile, std::int64_t bytes, std::int64_t k, Windows windows) {
  const std::int64_t of_b = windows == Windows::b ? 2 * tile.vectors : tile.vectors;
  const double loads = static_cast<double>(tile.rows + of_b + (windows == Windows::none ? 0 : 1));
  const double far = windows == Windows::b ? 0 : kFromFar * static_cast<double>(tile.panel() * bytes) / kCacheLine;
  const double turn = std::max({static_cast<double>(tile.rows * tile.vectors) / 2, loads / 2, 4.0}) + far;
  const double around = 20 + static_cast<double>(tile.rows * tile.vectors);  // beside its products
  return turn * static_cast<double>(k) + around;
}

// Cycles for an element that is moved, of so many side by side.
double moving(const Tile& tile, std::int64_t run) {
  return run >= tile.lanes ? 0.15 : run > 1 ? 0.15 + 1.0 / static_cast<double>(run) : 1.5;
}

class TileChoice {
 public:
  // Windows are read in place.
  TileChoice(const Plan& plan, Contraction contraction, Windows windows) : plan_(plan), c_(std::move(contraction)), windows_(windows) {
    bytes_ = static_cast<std::int64_t>(element_size(plan.at(c_.c.buffer).element));
    m_ = count(c_.m);
    n_ = count(c_.n);
    k_ = count(c_.k);
    choose_shape();
    if (products_ == HUGE_VAL) return;
    choose_blocks();
    choose_packing();
  }

  const Contraction& contraction() const { return c_; }

  // A few rows read b but once: no faster than memory, and much slower if it is packed before. A single column is a row of dot products.
  bool is_worth_it() const { return products_ < HUGE_VAL && n_ > 1 && (m_ >= kThin || c_.tile.b == Packing::none); }

  // Of one turn of the batch.
  double cycles() const { return is_worth_it() ? plan::cycles(plan_, c_, m_, n_).all() : HUGE_VAL; }

 private:
  // As few cycles for the products as can be.
  void choose_shape() {
    products_ = HUGE_VAL;
    for (std::int64_t bytes = static_cast<std::int64_t>(plan_.target.tile_bytes); bytes >= 16; bytes /= 2)
      for (std::int64_t vectors = kMostVectors; vectors >= 1; --vectors) {
        const std::int64_t lanes = bytes / bytes_, panel = vectors * lanes;
        const std::int64_t most = std::min({(plan_.target.vector_registers - vectors - 1) / vectors, m_, kMostRows});
        if (lanes < 2 || most < 1 || (m_ < kThin && panel > n_)) continue;
        if (windows_ == Windows::b && walk(c_, Group::n, c_.b).run() % panel != 0) continue;
        const std::int64_t rows = windows_ == Windows::a ? most_alike(walk(c_, Group::m, c_.a), most) : tiles(m_, tiles(m_, most));
        Tile tile;
        tile.rows = rows;
        tile.vectors = vectors;
        tile.lanes = lanes;
        const double sum =
            static_cast<double>(tiles(m_, rows)) * static_cast<double>(tiles(n_, panel)) * tile_cycles(tile, bytes_, k_, windows_);
        if (sum >= products_) continue;
        products_ = sum;
        c_.tile = tile;
      }
  }

  // A block of b stays in the second cache, and a panel of it in a part of that.
  void choose_blocks() {
    Tile& tile = c_.tile;
    const auto far = static_cast<std::int64_t>(plan_.target.far_bytes);
    tile.depth = k_;
    if (c_.block > 0 && (windows_ != Windows::none || !reads_in_place())) {
      const std::int64_t most = std::max(far / 8 / (tile.panel() * bytes_) / c_.block, std::int64_t{1}) * c_.block;
      if (k_ > most) tile.depth = round_up(tiles(k_, tiles(k_, most)), c_.block);
    }
    const std::int64_t line = std::max(tile.depth, std::int64_t{1}) * bytes_;
    tile.width = std::clamp(far / 2 / line / tile.panel() * tile.panel(), tile.panel(), round_up(n_, tile.panel()));
    tile.height = round_up(m_, tile.rows);
    if (tile.height * line > kAtOnce * far) tile.height = std::max(far / 4 / line / tile.rows, std::int64_t{1}) * tile.rows;
  }

  // Whether b is read so seldom, and lies such that it is not packed. What is not packed ends with a whole tile that begins earlier; it
  // would add what it computes again twice.
  bool reads_in_place() const {
    const Walk n = walk(c_, Group::n, c_.b);
    const std::int64_t panel = c_.tile.panel();
    return m_ <= kFewTiles * c_.tile.rows && n.is_even() && n.stride() == 1 && walk(c_, Group::k, c_.b).is_even() && n_ >= panel &&
           (!c_.base.valid() || n_ % panel == 0);
  }

  void choose_packing() {
    Tile& tile = c_.tile;
    const Walk am = walk(c_, Group::m, c_.a), ak = walk(c_, Group::k, c_.a);
    const bool few_panels = n_ <= kFewPanels * tile.panel(), even_rows = !c_.base.valid() || m_ % tile.rows == 0;
    tile.a = windows_ == Windows::a                                                        ? Packing::none
             : tile.depth >= k_ && few_panels && even_rows && am.is_even() && ak.is_even() ? Packing::none
             : am.run() > ak.run()                                                         ? Packing::across_k
                                                                                           : Packing::along_k;
    tile.b = windows_ == Windows::b || (tile.depth >= k_ && reads_in_place())  ? Packing::none
             : walk(c_, Group::k, c_.b).run() > walk(c_, Group::n, c_.b).run() ? Packing::along_k
                                                                               : Packing::across_k;
  }

  const Plan& plan_;
  Contraction c_;
  Windows windows_;
  std::int64_t bytes_ = 0, m_ = 0, n_ = 0, k_ = 0;
  double products_ = 0;
};

// Along vectors lies what was across them.
Contraction exchanged(Contraction c) {
  for (Access* access : {&c.a, &c.b, &c.c}) {
    auto& strides = access->at.strides;
    const auto first = strides.begin() + static_cast<std::ptrdiff_t>(c.batch.size());
    const auto middle = first + static_cast<std::ptrdiff_t>(c.m.size());
    std::rotate(first, middle, middle + static_cast<std::ptrdiff_t>(c.n.size()));
  }
  std::swap(c.m, c.n);
  std::swap(c.a, c.b);
  return c;
}

// In how many places an operand is packed.
std::int64_t rooms(const Contraction& c, bool at_once) {
  return at_once && c.grid.cells() > 1 ? 1 : most_threads(c);
}

// With all of it in one part.
Contraction uncut(Contraction c) {
  c.grid = {};
  c.grid.m.turns = round_up(count(c.m), c.tile.rows);
  c.grid.n.turns = round_up(count(c.n), c.tile.panel());
  return c;
}

std::int64_t first_axis(const Contraction& c, Group group) {
  const std::size_t before[] = {0, c.batch.size(), c.batch.size() + c.m.size(), c.batch.size() + c.m.size() + c.n.size()};
  return static_cast<std::int64_t>(before[static_cast<std::size_t>(group)]);
}

const std::vector<std::int64_t>& sizes_of(const Contraction& c, Group group) {
  switch (group) {
    case Group::batch:
      return c.batch;
    case Group::m:
      return c.m;
    case Group::n:
      return c.n;
    case Group::k:
      return c.k;
  }
  return c.k;
}

}  // namespace

std::int64_t count(const std::vector<std::int64_t>& sizes) {
  std::int64_t product = 1;
  for (std::int64_t size : sizes) product *= size;
  return product;
}

Walk walk(const Contraction& contraction, Group group, const Access& operand) {
  Walk walk;
  const std::vector<std::int64_t>& sizes = sizes_of(contraction, group);
  walk.count = count(sizes);
  const auto first = static_cast<std::size_t>(first_axis(contraction, group));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t size = sizes[i], stride = operand.at.strides[first + i];
    if (size == 1) continue;
    if (!walk.sizes.empty() && walk.strides.back() == stride * size) {
      walk.sizes.back() *= size;
      walk.strides.back() = stride;
    } else {
      walk.sizes.push_back(size);
      walk.strides.push_back(stride);
    }
  }
  return walk;
}

std::int64_t offset(const Walk& walk, std::int64_t index) {
  std::int64_t sum = 0;
  for (std::size_t i = walk.sizes.size(); i-- > 0; index /= walk.sizes[i]) sum += index % walk.sizes[i] * walk.strides[i];
  return sum;
}

// An odd number of lines: rows at a power of two would compete for places in the first cache.
std::int64_t row_length(const Contraction& c) {
  constexpr std::int64_t line = kCacheLine / 4;
  return (tiles(c.tile.depth, line) | 1) * line;
}

std::int64_t most_threads(const Contraction& c) {
  return std::min(c.grid.parts(), kMostThreads);
}

bool packs_a_at_once(const Contraction& c) {
  return c.tile.a != Packing::none && c.tile.height >= count(c.m);
}
bool packs_b_at_once(const Contraction& c) {
  return c.tile.b != Packing::none && c.tile.width >= count(c.n);
}
Cut packing_of_a(const Contraction& c) {
  return {0, c.grid.packings, tiles(tiles(count(c.m), c.tile.rows), c.grid.packings) * c.tile.rows};
}
Cut packing_of_b(const Contraction& c) {
  return {0, c.grid.packings, tiles(tiles(count(c.n), c.tile.panel()), c.grid.packings) * c.tile.panel()};
}

std::int64_t packed_a_room(const Contraction& c) {
  if (c.tile.a == Packing::none) return 0;
  const std::int64_t rows = packs_a_at_once(c) ? c.tile.height : std::min(c.tile.height, c.grid.m.turns);
  return rows * (c.tile.a == Packing::along_k ? row_length(c) : c.tile.depth);
}

std::int64_t packed_b_room(const Contraction& c) {
  if (c.tile.b == Packing::none) return 0;
  const std::int64_t columns = packs_b_at_once(c) ? c.tile.width : std::min(c.tile.width, c.grid.n.turns);
  return columns * panel_length(c);
}

std::int64_t panel_length(const Contraction& c) {
  return c.tile.depth + (c.tile.b == Packing::along_k ? turned(c) : 0);
}

std::int64_t turned(const Contraction& c) {
  return std::min(c.tile.lanes, kMostTurned);
}

bool keeps_totals(const Contraction& c) {
  return c.tile.depth < count(c.k);
}

std::int64_t totals_room(const Contraction& c) {
  if (!keeps_totals(c)) return 0;
  return round_up(count(c.m), c.tile.rows) * round_up(count(c.n), c.tile.panel());
}

std::int64_t offsets_room(const Contraction& c) {
  const bool even = walk(c, Group::k, c.a).is_even() && walk(c, Group::k, c.b).is_even() && walk(c, Group::m, c.c).is_even();
  return even ? 0 : 2 * c.tile.depth + c.tile.height;
}

std::int64_t packed_a_count(const Contraction& c) {
  return std::max(packed_a_room(uncut(c)), rooms(c, packs_a_at_once(c)) * packed_a_room(c));
}
std::int64_t packed_b_count(const Contraction& c) {
  return std::max(packed_b_room(uncut(c)), rooms(c, packs_b_at_once(c)) * packed_b_room(c));
}
std::int64_t totals_count(const Contraction& c) {
  return (c.grid.batch.parts > 1 ? most_threads(c) : 1) * totals_room(c);
}
std::int64_t offsets_count(const Contraction& c) {
  return most_threads(c) * offsets_room(c);
}

bool choose_tile(Plan& plan, Contraction& contraction) {
  std::optional<TileChoice> best;
  for (const Contraction& way : {contraction, exchanged(contraction)})
    for (Windows windows : {Windows::none, Windows::a, Windows::b}) {
      if (windows == Windows::a && !are_windows(way, Group::m, way.a)) continue;
      if (windows == Windows::b && !are_windows(way, Group::n, way.b)) continue;
      TileChoice choice(plan, way, windows);
      if (choice.is_worth_it() && (!best || choice.cycles() < best->cycles())) best.emplace(std::move(choice));
    }
  if (!best) return false;
  contraction = uncut(best->contraction());
  const Element element = plan.at(contraction.c.buffer).element;
  auto scratch = [&](Element of, std::int64_t count, const char* name) {
    return count > 0 ? plan.add(Buffer{of, count, name, {}}) : BufferId{};
  };
  contraction.packed_a = scratch(element, packed_a_count(contraction), "packed");
  contraction.packed_b = scratch(element, packed_b_count(contraction), "panels");
  contraction.totals = scratch(Element::f64, totals_count(contraction), "totals");
  contraction.offsets = scratch(Element::i64, offsets_count(contraction), "offsets");
  return true;
}

Cycles cycles(const Plan& plan, const Contraction& c, std::int64_t m, std::int64_t n) {
  const Tile& tile = c.tile;
  const auto bytes = static_cast<std::int64_t>(element_size(plan.at(c.c.buffer).element));
  const std::int64_t k = count(c.k), run = walk(c, Group::n, c.c).run();
  auto elements = [](std::int64_t x, std::int64_t y) { return static_cast<double>(x) * static_cast<double>(y); };
  Cycles sum;
  sum.tiles = elements(tiles(m, tile.rows), tiles(n, tile.panel())) * tile_cycles(tile, bytes, k, windows_in_place(c));
  sum.tiles += elements(m, n) * (run >= tile.panel() ? 0.1 : moving(tile, run));
  if (tile.a != Packing::none)
    sum.packing_a = elements(m, k) * moving(tile, walk(c, tile.a == Packing::along_k ? Group::k : Group::m, c.a).run());
  if (tile.b == Packing::across_k) sum.packing_b = elements(n, k) * moving(tile, walk(c, Group::n, c.b).run());
  if (tile.b == Packing::along_k) sum.packing_b = elements(n, k) * (0.3 + moving(tile, walk(c, Group::k, c.b).run()));
  return sum;
}

void set_grid(Plan& plan, Contraction& contraction, const Grid& grid) {
  contraction.grid = grid;
  auto make_room = [&](BufferId scratch, std::int64_t count) {
    if (scratch.valid()) plan.buffers[scratch.index].count = count;
  };
  make_room(contraction.packed_a, packed_a_count(contraction));
  make_room(contraction.packed_b, packed_b_count(contraction));
  make_room(contraction.totals, totals_count(contraction));
  make_room(contraction.offsets, offsets_count(contraction));
}

}  // namespace bpc::plan
