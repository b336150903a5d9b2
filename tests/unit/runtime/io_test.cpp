#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/io/csv.h"
#include "runtime/io/json_value.h"
#include "runtime/io/read_file.h"
#include "runtime/io/safetensors.h"
#include "runtime/io/write_file.h"
#include "runtime/number_text.h"

using namespace bpc;
using namespace bpc::runtime;

namespace {

namespace fs = std::filesystem;

// A folder of its own that goes away.
struct Folder {
  fs::path path = fs::temp_directory_path() / fs::path("bpc_io_test_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
};

std::string only_error(const Diagnostics& diagnostics) {
  REQUIRE(diagnostics.all().size() == 1);
  return std::string(code_info(diagnostics.all()[0].code).name) + " " + diagnostics.all()[0].message;
}

std::string csv(const std::string& text, const std::string& selector, std::optional<Element> wanted = {}) {
  const Folder folder;
  Diagnostics diagnostics;
  const auto tensor = load_csv(folder.file("a.csv", text), selector, wanted, Element::f32, diagnostics);
  if (tensor) return type_text(tensor->type()) + " " + tensor_text(*tensor, true);
  const std::string error = only_error(diagnostics);
  return error.substr(0, 6) + error.substr(error.find("a.csv") + 7);
}

std::string json_round(const std::string& text, std::optional<Element> wanted = {}, Element real = Element::f32) {
  Diagnostics diagnostics;
  const auto tensor = from_json_text(text, "x", wanted, real, diagnostics);
  return tensor ? type_text(tensor->type()) + " " + json_text(*tensor) : only_error(diagnostics);
}

std::string safetensors(const std::string& header, const std::string& data, std::optional<std::uint64_t> length = {}) {
  const Folder folder;
  const std::uint64_t size = length.value_or(header.size());
  Diagnostics diagnostics;
  const auto tensors =
      load_safetensors(folder.file("w.safetensors", std::string(reinterpret_cast<const char*>(&size), 8) + header + data), diagnostics);
  if (!tensors) return only_error(diagnostics).substr(0, 5);
  std::string text;
  for (const auto& [name, tensor] : *tensors) text += name + " " + type_text(tensor.type()) + " " + tensor_text(tensor, true) + ";";
  return text;
}

}  // namespace

TEST_CASE("CSV columns by name, list, index and range") {
  const std::string text = "\xEF\xBB\xBFx,y,label\r\n1,2.5,cat\r\n\r\n-3,4e1,ant\r\n5,6,\"cat\"\r\n";
  CHECK(csv(text, R"("x")") == "f32[3] [1, -3, 5]");
  CHECK(csv(text, R"(["y", "x"])") == "f32[3, 2] [[2.5, 1],\n [40, -3],\n [6, 5]]");
  CHECK(csv(text, "1") == "f32[3] [2.5, 40, 6]");
  CHECK(csv(text, R"({"from": 0, "to": 2})") == "f32[3, 2] [[1, 2.5],\n [-3, 40],\n [5, 6]]");
  CHECK(csv(text, R"({"from": 0, "to": -1})") == "f32[3, 2] [[1, 2.5],\n [-3, 40],\n [5, 6]]");
  CHECK(csv(text, "-1") == "i32[3] [1, 0, 1]");
  CHECK(csv(text, R"("label")", Element::i32) == "i32[3] [1, 0, 1]");
  CHECK(csv(text, R"("x")", Element::i64) == "i64[3] [1, -3, 5]");
  CHECK(csv("1,2\n3,4\n", "") == "f32[2, 2] [[1, 2],\n [3, 4]]");
  CHECK(csv("1.5,a\n2.5,b", "1") == "i32[2] [0, 1]");
  CHECK(csv("2019,2020\n1,2\n", R"("2020")") == "f32[1] [2]");
  CHECK(csv("ok\ntrue\nfalse\n", "0", Element::boolean) == "bool[2] [true, false]");
  CHECK(csv("a\n\"1\"\n+2\nnan\n", "0") == "f32[3] [1, 2, nan]");
}

TEST_CASE("CSV errors name line and column") {
  CHECK(csv("x,y\n1,2\n3\n", "0") == "E0503 line 3: 1 cells, and the first row has 2");
  CHECK(csv("x,y\n1,2\n3,b\n", R"("y")", Element::f64) == "E0503 line 3, column `y`: `b` is not a number");
  CHECK(csv("x,y\n1,2\n3,\n", R"("y")") == "E0503 line 3, column `y`: an empty cell is not a number");
  CHECK(csv("x\n1\n2.5\n", "0", Element::i32) == "E0503 line 3, column `x`: `2.5` is not a whole number of type i32");
  CHECK(csv("x\n1\n3000000000\n", "0", Element::i32) == "E0503 line 3, column `x`: `3000000000` is not a whole number of type i32");
  CHECK(csv("x,y\n1,2\n", R"("z")") == "E0503 there is no column `z`");
  CHECK(csv("1,2\n", R"("z")") == "E0503 column `z` is asked for, and the file has no header");
  CHECK(csv("x,y\n1,2\n", "2") == "E0503 column 2 is asked for, and there are 2");
  CHECK(csv("x,y\n1,2\n", R"({"from": 1, "to": 5})") == "E0503 columns 1..5 are asked for, and there are 2");
  CHECK(csv("", "") == "E0503 there are no rows of data");
  CHECK(csv("x,y\n", "") == "E0503 there are no rows of data");
  CHECK(csv("x\n\"1\n2\n", "0") == "E0503 line 3: a quote is not closed");
  Diagnostics diagnostics;
  CHECK_FALSE(load_csv("/no/such/file.csv", "", {}, Element::f32, diagnostics));
  CHECK(only_error(diagnostics) == "E0502 cannot read /no/such/file.csv: No such file or directory");
}

TEST_CASE("JSON values") {
  CHECK(json_round("0.1") == "f32 0.1");
  CHECK(json_round("[[1, 2.5], [3, -4e-7]]", {}, Element::f64) == "f64[2, 2] [[1, 2.5], [3, -4e-7]]");
  CHECK(json_round("[true, false]") == "bool[2] [true, false]");
  CHECK(json_round("[1, 2]", Element::i32) == "i32[2] [1, 2]");
  CHECK(json_round("9007199254740993", Element::i64) == "i64 9007199254740993");
  CHECK(json_round("nan") == R"(f32 "nan")");
  CHECK(json_round(R"(["inf", "-inf", 1])") == R"(f32[3] ["inf", "-inf", 1])");
  CHECK(json_round("[[1], [2, 3]]") == "E0504 the value of x does not fit: its arrays are not of the same length");
  CHECK(json_round("[1, [2]]") == "E0504 the value of x does not fit: an array is not a number");
  CHECK(json_round("[1, \"a\"]") == "E0504 the value of x does not fit: \"a\" is not a number");
  CHECK(json_round("1.5", Element::i32) == "E0504 the value of x does not fit: 1.5 cannot be read as a whole number of type i32");
  CHECK(json_round("3000000000", Element::i32) ==
        "E0504 the value of x does not fit: 3000000000 cannot be read as a whole number of type i32");
  CHECK(json_round("18446744073709551615", Element::i64).starts_with("E0504"));
  CHECK(json_round("[]").starts_with("E0504"));
  CHECK(json_round("[1,").starts_with("E0504"));
  CHECK(json_round("{}").starts_with("E0504"));
  CHECK(json_round(std::string(100000, '[') + std::string(100000, ']')).starts_with("E0504"));
}

TEST_CASE("safetensors") {
  const float w[] = {1.5f, -2};
  const std::string data(reinterpret_cast<const char*>(w), sizeof w);
  const std::string good = R"({"__metadata__": {"a": "b"}, "h.W": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}})";
  CHECK(safetensors(good, data) == "h.W f32[2, 1] [[1.5],\n [-2]];");
  CHECK(safetensors(R"({"m": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}})", std::string("\2\0", 2)) ==
        "m bool[2] [true, false];");
  CHECK(safetensors(R"({"e": {"dtype": "I64", "shape": [0, 4294967296, 4294967296], "data_offsets": [0, 0]}})", "").starts_with("e i64[0"));
  CHECK(safetensors(good, data.substr(1)) == "E0503");    // too little data
  CHECK(safetensors(good, data, 1 << 20) == "E0503");     // header longer than the file
  CHECK(safetensors(good, data, UINT64_MAX) == "E0503");  // and longer than memory
  CHECK(safetensors("[1]", data) == "E0503");             // no object
  CHECK(safetensors(R"({"a": 1})", data) == "E0503");     // no entry
  CHECK(safetensors(R"({"a": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}})", data) == "E0503");
  CHECK(safetensors(R"({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}})", data) == "E0503");
  CHECK(safetensors(R"({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}})", data) == "E0503");
  CHECK(safetensors(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}})", data) == "E0503");
  CHECK(safetensors(R"({"a": {"dtype": "F32", "shape": [4611686018427387906], "data_offsets": [0, 8]}})", data) ==
        "E0503");  // wraps to 8 bytes
}

TEST_CASE("files are written whole or not at all") {
  const Folder folder;
  Diagnostics diagnostics;
  const std::string path = folder.file("a.txt", "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  CHECK(write_file(path, "new", diagnostics));
  CHECK(read_file(path, diagnostics) == "new");
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  fs::create_symlink(path, folder.path / "link");
  CHECK(write_file((folder.path / "link").string(), "linked", diagnostics));
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(read_file(path, diagnostics) == "linked");
  fs::create_hard_link(path, folder.path / "other");
  CHECK(write_file(path, "both", diagnostics));
  CHECK(read_file((folder.path / "other").string(), diagnostics) == "both");
  CHECK(fs::hard_link_count(path) == 2);
  fs::remove(folder.path / "other");
  CHECK(write_file("/dev/null", "x", diagnostics));
  CHECK_FALSE(diagnostics.has_errors());
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 2);
  CHECK_FALSE(write_file((folder.path / "none" / "a").string(), "x", diagnostics));
  CHECK(only_error(diagnostics).starts_with("E0507"));
  Diagnostics folders;
  CHECK_FALSE(read_file(folder.path.string(), folders));
  CHECK(only_error(folders).ends_with("it is a folder"));
}
