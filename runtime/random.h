// Counter-based random numbers: every draw is a pure function of (seed, stream, turn, element), so a run is the same on every backend,
// with any number of threads, and in any order of evaluation.
//
// The generator is Philox-4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//   key   = the first two words of philox({stream lo, stream hi, 0, 0}, {seed lo, seed hi})
//   block = philox({e lo, e hi, turn lo, turn hi}, key) with e = element / 2 gives four words w
//   bits  = w[0] + 2^32 w[1] for an even element, w[2] + 2^32 w[3] for an odd one
//   uniform f64 = the top 53 bits times 2^-53, f32 = the top 24 bits times 2^-24: in [0, 1), the same draw at either precision
//   normal  = Box and Muller on the block's two f64 uniforms u and v, r = sqrt(-2 log(1 - u)): r cos(2 pi v) for the even element, r sin(2
//   pi v)
//             for the odd one; f32 rounds that
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace bpc::runtime {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// Which draws: those of one random op in one turn.
struct RandomDraw {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t turn = 0;
};

// Fills out with elements first, first + 1, ….
void fill_uniform(const RandomDraw& draw, std::uint64_t first, std::span<float> out);
void fill_uniform(const RandomDraw& draw, std::uint64_t first, std::span<double> out);
void fill_normal(const RandomDraw& draw, std::uint64_t first, std::span<float> out);
void fill_normal(const RandomDraw& draw, std::uint64_t first, std::span<double> out);

}  // namespace bpc::runtime
