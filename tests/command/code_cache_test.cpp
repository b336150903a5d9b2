// What is compiled is kept in ~/.cache/bpc, and never makes a difference but in time.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/process.h"

namespace {

using namespace bpc::test;
namespace fs = std::filesystem;

const std::string kScript = "param w = 3\nx = [1.0, 2.0, 4.0]\nloss J = sum(exp(sin(x * w)))\n";

Finished run_with(const Folder& caches, const std::string& script, std::vector<std::string> flags = {}) {
  std::vector<std::string> words{"env", "XDG_CACHE_HOME=" + caches.path.string(), bpc_path(), "run", "-", "--grads"};
  words.insert(words.end(), flags.begin(), flags.end());
  return run(words, script);
}

std::vector<fs::path> kept(const Folder& caches) {
  std::vector<fs::path> files;
  if (fs::exists(caches.path / "bpc"))
    for (const auto& entry : fs::directory_iterator(caches.path / "bpc"))
      if (entry.path().filename().string().starts_with("llvmcache-")) files.push_back(entry.path());
  return files;
}

void damage(const fs::path& file, std::size_t at) {
  std::string bytes = read_file(file.string());
  REQUIRE(at < bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("compiled code is kept, and used again") {
  const Folder caches;
  const Finished first = run_with(caches, kScript);
  INFO(first.err);
  REQUIRE(first.code == 0);
  REQUIRE(kept(caches).size() == 1);
  const fs::path file = kept(caches)[0];
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto before = fs::last_write_time(file);
  CHECK(run_with(caches, kScript).out == first.out);
  CHECK(kept(caches).size() == 1);
  CHECK(fs::last_write_time(file) > before);  // it was used
  // What is compiled otherwise is not found.
  CHECK(run_with(caches, kScript, {"-O1"}).code == 0);
  CHECK(kept(caches).size() == 2);
  CHECK(run_with(caches, "y = exp(2.5)\n" + kScript).code == 0);
  CHECK(kept(caches).size() == 3);
}

TEST_CASE("large modules are compiled in pieces, the same ones for any number of threads, without a word") {
  const Folder caches;
  const std::string script = read_file("examples/transformer_block.bp");
  const Finished first = run_with(caches, script, {"--threads=1"});
  REQUIRE(first.code == 0);
  CHECK(first.err == "");
  const std::vector<fs::path> pieces = kept(caches);
  CHECK(pieces.size() > 1);
  const Finished shared = run_with(caches, script, {"--threads=3", "--no-cache"});
  CHECK(shared.out == first.out);
  CHECK(shared.err == "");
  CHECK(run_with(caches, script, {"--threads=3"}).out == first.out);
  CHECK(kept(caches).size() == pieces.size());
}

TEST_CASE("the flag --no-cache neither keeps nor uses code") {
  const Folder caches;
  const Finished finished = run_with(caches, kScript, {"--no-cache"});
  CHECK(finished.code == 0);
  CHECK_FALSE(fs::exists(caches.path / "bpc"));
  CHECK(run_with(caches, kScript, {"--backend=interp"}).code == 0);
  CHECK_FALSE(fs::exists(caches.path / "bpc"));
}

TEST_CASE("damaged code is not run") {
  const Folder caches;
  const Finished first = run_with(caches, kScript);
  const fs::path file = kept(caches).at(0);
  const std::string whole = read_file(file.string());
  for (std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    damage(file, at);
    const Finished again = run_with(caches, kScript);
    CHECK(again.out == first.out);
    CHECK(again.err == first.err);
    CHECK(read_file(file.string()) == whole);  // it was made anew
  }
  for (std::size_t size : {std::size_t{0}, std::size_t{3}, whole.size() / 2}) {
    fs::resize_file(file, size);
    CHECK(run_with(caches, kScript).out == first.out);
    CHECK(read_file(file.string()) == whole);
  }
}

TEST_CASE("code that others could have put there is not run") {
  const Folder caches;
  const Finished first = run_with(caches, kScript);
  const fs::path file = kept(caches).at(0);
  damage(file, 0);
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  CHECK(run_with(caches, kScript).out == first.out);
  fs::remove_all(caches.path / "bpc");
  std::ofstream(caches.path / "bpc") << "a file where the folder should be";
  CHECK(run_with(caches, kScript).out == first.out);
}

TEST_CASE("several commands keep code at once") {
  const Folder caches;
  std::vector<Finished> finished(4);
  {
    std::vector<std::jthread> threads;
    for (Finished& one : finished) threads.emplace_back([&] { one = run_with(caches, kScript); });
  }
  for (const Finished& one : finished) {
    CHECK(one.code == 0);
    CHECK(one.out == finished[0].out);
  }
  CHECK(kept(caches).size() == 1);
}
