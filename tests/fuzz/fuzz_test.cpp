// Damaged scripts, IR texts and data files, from a fixed seed. BPC_FUZZ_COUNT says how many of each kind.
#include <catch2/catch.hpp>

#include "tests/fuzz/damage.h"
#include "tests/support/process.h"

namespace {

namespace fs = std::filesystem;
using namespace bpc::test;

// A header and the data of w: f32[2, 3] and b: f64[3].
std::string safetensors() {
  std::string header =
      R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F64","shape":[3],"data_offsets":[24,48]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + std::string(48, '\1');
}

}  // namespace

TEST_CASE("damaged scripts end with a coded message") {
  const std::vector<std::string> examples = files_in("examples", ".bp");
  const Folder folder;
  fs::copy(fs::path(source_dir()) / "examples/data", folder.path / "data", fs::copy_options::recursive);
  std::mt19937 random(42);
  for (int i = 0; i < fuzz_count(60); ++i) {
    const std::string text = damaged(read_file(examples[static_cast<std::size_t>(i) % examples.size()]), random);
    const std::string script = folder.write("damaged.bp", text);
    check_survives({"run", script, "--max-iterations=100000", "--max-memory=1G"}, {}, "run " + std::to_string(i), text);
    check_survives({"fmt", script, "--diff"}, {}, "fmt " + std::to_string(i), text);
  }
}

TEST_CASE("damaged IR text ends with a coded message") {
  std::vector<std::string> texts;
  for (const std::string& script : files_in("tests/golden", ".bp"))
    for (const char* grad : {"", "--grad"}) {
      std::vector<std::string> words{"emit", script, "-q"};
      if (*grad) words.push_back(grad);
      texts.push_back(run_bpc(words).out);
    }
  std::erase(texts, std::string());
  REQUIRE(texts.size() > 4);
  std::mt19937 random(43);
  for (int i = 0; i < fuzz_count(60); ++i) {
    const std::string text = damaged(texts[static_cast<std::size_t>(i) % texts.size()], random);
    check_survives({"opt", "-", "--passes=vectorise,adjoint,simplify,cse,dce"}, text, "opt " + std::to_string(i), text);
  }
}

TEST_CASE("damaged CSV files end with a coded message") {
  const Folder folder;
  const std::string script = folder.write(
      "table.bp",
      "dim N\ninput x : [N, 4] from \"table.csv\"[0..4]\ninput y : i32[N] from \"table.csv\"[\"species\"]\ny1 = sum(x) + real(sum(y))\n");
  const std::string table = read_file("examples/data/iris.csv").substr(0, 400);
  folder.write("table.csv", table.substr(0, table.rfind('\n') + 1));
  REQUIRE(run_bpc({"run", script}).code == 0);
  std::mt19937 random(44);
  for (int i = 0; i < fuzz_count(60); ++i) {
    const std::string text = damaged(table, random);
    folder.write("table.csv", text);
    check_survives({"run", "--backend=interp", script}, {}, "csv " + std::to_string(i), text);
  }
}

TEST_CASE("damaged JSON values end with a coded message") {
  const Folder folder;
  const std::string script = folder.write("value.bp", "input x = 0\ny = sum(x)\n");
  const std::string value = "[[[1, 2.5, -3e2], [4, 5, \"nan\"]], [[7, 8, 9], [\"-inf\", 11, 12e-3]]]";
  REQUIRE(run_bpc({"run", script, "--set", "x=" + value}).code == 0);
  std::mt19937 random(45);
  for (int i = 0; i < fuzz_count(60); ++i) {
    std::string text = damaged(value, random);
    std::erase(text, '\0');  // which no word of a command line holds
    check_survives({"run", "--backend=interp", script, "--set", "x=" + text}, {}, "json " + std::to_string(i), text);
  }
}

TEST_CASE("damaged safetensors files end with a coded message") {
  const Folder folder;
  const std::string script = folder.write("params.bp", "param w : [2, 3] = 0\nparam b : [3] = 0\ny = sum(w + b)\n");
  REQUIRE(run_bpc({"run", script, "--params", folder.write("p.safetensors", safetensors())}).code == 0);
  std::mt19937 random(46);
  for (int i = 0; i < fuzz_count(60); ++i) {
    const std::string bytes = damaged(safetensors(), random);
    const std::string file = folder.write("p.safetensors", bytes);
    check_survives({"run", "--backend=interp", script, "--params", file}, {}, "safetensors " + std::to_string(i), bytes);
  }
}

TEST_CASE("damaged arrays and archives end with a coded message") {
  const Folder folder;
  std::mt19937 random(47);
  const std::vector<std::string> files{"arrays.npz", "compressed.npz", "columns.npy", "swapped.npy", "images.idx.gz"};
  for (int i = 0; i < fuzz_count(60); ++i) {
    const std::string& name = files[static_cast<std::size_t>(i) % files.size()];
    const std::string bytes = damaged(read_file("tests/command/data/" + name), random);
    folder.write(name, bytes);
    const std::string script = folder.write("read.bp", "input x from \"" + name + "\"\ny = sum(x)\n");
    check_survives({"run", script, "--max-memory=1G"}, {}, name + " " + std::to_string(i), bytes);
  }
}
