// Malformed scripts: truncations and byte flips of the examples from a fixed seed. Each must end in time with exit 0, 1 or 2, and a coded
// message when not 0. BPC_FUZZ_COUNT says how many (60).
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/process.h"

namespace {

namespace fs = std::filesystem;

std::string mutate(std::string text, std::mt19937& random) {
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  if (below(3) == 0) return text.substr(0, below(text.size()));
  for (std::size_t flips = 1 + below(4); flips > 0; --flips) text[below(text.size())] ^= static_cast<char>(1 << below(8));
  return text;
}

}  // namespace

TEST_CASE("malformed scripts end with a coded message") {
  const char* wanted = std::getenv("BPC_FUZZ_COUNT");
  int count = wanted ? std::atoi(wanted) : 60;
  std::vector<std::string> examples = bpc::test::files_in("examples", ".bp");
  fs::path folder = fs::temp_directory_path() / ("bpc-fuzz-" + std::to_string(std::random_device{}()));
  fs::create_directories(folder);
  fs::copy(fs::path(bpc::test::source_dir()) / "examples/data", folder / "data", fs::copy_options::recursive);
  std::mt19937 random(42);
  for (int i = 0; i < count; ++i) {
    std::string text = mutate(bpc::test::read_file(examples[i % examples.size()]), random);
    fs::path script = folder / "mutated.bp";
    std::ofstream(script, std::ios::binary) << text;
    for (const char* command : {"run", "fmt"}) {
      std::vector<std::string> words{command, script.string()};
      if (std::string_view(command) == "run") words.push_back("--max-iterations=100000");
      if (std::string_view(command) == "fmt") words.push_back("--diff");
      bpc::test::Finished finished = bpc::test::run_bpc(words, {}, 10);
      INFO("mutation " << i << ", " << command << ", exit " << finished.code << "\n" << finished.err << "\n----\n" << text);
      CHECK_FALSE(finished.timed_out);
      CHECK((finished.code >= 0 && finished.code <= 2));
      if (finished.code != 0) CHECK(finished.err.find("error[E") != std::string::npos);
    }
  }
  fs::remove_all(folder);
}
