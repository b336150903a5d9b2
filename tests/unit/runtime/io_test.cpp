#include <sys/stat.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/io/csv.h"
#include "runtime/io/json_value.h"
#include "runtime/io/npy.h"
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

Selector column(const std::string& name) {
  return {Selector::Column(name)};
}
Selector column(std::int64_t index) {
  return {Selector::Column(index)};
}
Selector range(std::optional<std::int64_t> from, std::optional<std::int64_t> to, std::int64_t step = 1) {
  return {Selector::Range{from, to, step}};
}

std::string csv(const std::string& text, const Selector& selector, std::optional<Element> wanted = {},
                const KnownCategories* known = nullptr) {
  Diagnostics diagnostics;
  const auto table = read_csv_table(text, "a.csv", selector.names_columns(), diagnostics);
  const auto columns = table ? read_columns(*table, "a.csv", selector, wanted, Element::f32, known, diagnostics) : std::nullopt;
  if (columns) return type_text(columns->tensor.type()) + " " + tensor_text(columns->tensor, true);
  const std::string error = only_error(diagnostics);
  return error.substr(0, 6) + error.substr(error.find("a.csv") + 7);
}

std::string json_round(const std::string& text, std::optional<Element> wanted = {}, Element real = Element::f32) {
  Diagnostics diagnostics;
  const auto tensor = from_json_text(text, "x", wanted, real, diagnostics);
  return tensor ? type_text(tensor->type()) + " " + json_text(*tensor) : only_error(diagnostics);
}

std::string safetensors(const std::string& header, const std::string& data, std::optional<std::uint64_t> length = {}) {
  const std::uint64_t size = length.value_or(header.size());
  Diagnostics diagnostics;
  const auto tensors = read_safetensors(std::string(reinterpret_cast<const char*>(&size), 8) + header + data, "w", diagnostics);
  if (!tensors) return only_error(diagnostics).substr(0, 5);
  std::string text;
  for (const auto& [name, tensor] : *tensors) text += name + " " + type_text(tensor.type()) + " " + tensor_text(tensor, true) + ";";
  return text;
}

}  // namespace

TEST_CASE("CSV columns by name, list, index and range") {
  const std::string text = "\xEF\xBB\xBFx,y,label\r\n1,2.5,cat\r\n\r\n-3,4e1,ant\r\n5,6,\"cat\"\r\n";
  CHECK(csv(text, column("x")) == "f32[3] [1, -3, 5]");
  CHECK(csv(text, {std::vector<Selector::Column>{"y", "x"}}) == "f32[3, 2] [[2.5, 1],\n [40, -3],\n [6, 5]]");
  CHECK(csv(text, {std::vector<Selector::Column>{-2, "x"}}) == "f32[3, 2] [[2.5, 1],\n [40, -3],\n [6, 5]]");
  CHECK(csv(text, column(1)) == "f32[3] [2.5, 40, 6]");
  CHECK(csv(text, range(0, 2)) == "f32[3, 2] [[1, 2.5],\n [-3, 40],\n [5, 6]]");
  CHECK(csv(text, range({}, -1)) == "f32[3, 2] [[1, 2.5],\n [-3, 40],\n [5, 6]]");
  CHECK(csv(text, column(-1)) == "i32[3] [1, 0, 1]");
  CHECK(csv(text, column("label"), Element::i32) == "i32[3] [1, 0, 1]");
  CHECK(csv(text, column("x"), Element::i64) == "i64[3] [1, -3, 5]");
  CHECK(csv("1,2\n3,4\n", {}) == "f32[2, 2] [[1, 2],\n [3, 4]]");
  CHECK(csv("ok\ntrue\nFALSE\n", column(0), Element::boolean) == "bool[2] [true, false]");
  CHECK(csv("a\n\"1\"\n+2\nnan\n", column(0)) == "f32[3] [1, 2, nan]");
  CHECK(csv("a\n9007199254740993\n3.0\n1e3\n", column(0), Element::i64) == "i64[3] [9007199254740993, 3, 1000]");
}

TEST_CASE("CSV ranges are slices") {
  const std::string text = "0,1,2,3,4\n";
  CHECK(csv(text, range(0, 3, 2)) == "f32[1, 2] [[0, 2]]");
  CHECK(csv(text, range(-3, -1)) == "f32[1, 2] [[2, 3]]");
  CHECK(csv(text, range({}, {}, -1)) == "f32[1, 5] [[4, 3, 2, 1, 0]]");
  CHECK(csv(text, range(-2, 0, -2)) == "f32[1, 2] [[3, 1]]");
  CHECK(csv(text, range({}, {}, INT64_MAX)) == "f32[1, 1] [[0]]");
  CHECK(csv(text, range({}, {}, INT64_MIN)) == "f32[1, 1] [[4]]");
  CHECK(csv(text, range(3, 1)) == "E0503 columns 3..1 are none of the 5");
  CHECK(csv(text, range(0, 6)) == "E0503 columns 0..6 are asked for, and there are 5");
  CHECK(csv(text, range(INT64_MIN, {})) == "E0503 columns -9223372036854775808.. are asked for, and there are 5");
  CHECK(csv(text, column(INT64_MIN)) == "E0503 column -9223372036854775808 is asked for, and there are 5");
  CHECK(csv(text, column(-6)) == "E0503 column -6 is asked for, and there are 5");
}

TEST_CASE("CSV headers are found by looking") {
  CHECK(csv("2019,2020\n1,2\n", column("2020")) == "f32[1] [2]");
  CHECK(csv("2019,2020\n1,2\n", column(1)) == "f32[2] [2020, 2]");
  CHECK(csv("id,2020\n1,2\n", column(1)) == "f32[1] [2]");                               // text above numbers
  CHECK(csv("id,2020\n,2\n1,3\n", column(1)) == "f32[2] [2, 3]");                        // or above what is missing
  CHECK(csv("5.1,setosa\n4.9,virginica\n5,setosa\n", column(1)) == "i32[3] [0, 1, 0]");  // texts that stand again are data
  CHECK(csv("cat\nant\ncat\n", column(0)) == "i32[3] [1, 0, 1]");
  CHECK(csv("name\nant\ncat\n", column(0)) == "i32[2] [0, 1]");
  CHECK(csv("1,\n2,3\n", column(1)) == "f32[2] [nan, 3]");
  CHECK(csv("1.5,a\n2.5,b", column(1)).starts_with("E0503 line 1: whether it is a header or data cannot be told: it holds `1.5`, and `a`"));
  CHECK(csv("name,2019\na,1\nb,2\n", column(1)).starts_with("E0503 line 1: whether it is a header or data cannot be told"));
  CHECK(csv("name,2019\na,1\nb,2\n", column("2019")) == "f32[2] [1, 2]");
}

TEST_CASE("CSV separators and decimal commas are found by looking") {
  CHECK(csv("x;y\n1,5;2\n3;4,25\n", {}) == "f32[2, 2] [[1.5, 2],\n [3, 4.25]]");
  CHECK(csv("x\ty\n1.5\t2\n", {}) == "f32[1, 2] [[1.5, 2]]");
  CHECK(csv("\"a;b\",c\n1,2\n", column("a;b")) == "f32[1] [1]");
  CHECK(csv("a;b,c\n1,2\n", column("a;b")) == "f32[1] [1]");
  CHECK(csv("x;y\n1.5;2,5\n", {}) == "E0503 line 2, column `y`: `2,5` is not a number");
  CHECK(csv("x;y\n1.234,5;2\n", {}) == "E0503 line 2, column `x`: `1.234,5` is not a number");
  CHECK(csv("x;y\n1,234,5;2\n", {}) == "E0503 line 2, column `x`: `1,234,5` is not a number");
  CHECK(csv("x,y\n\"1,5\",2\n", {}) == "E0503 line 2, column `x`: `1,5` is not a number");
  CHECK(csv("x;y\n1,0;2\n", column(0), Element::i32) == "i32[1] [1]");
  CHECK(csv("x;y\n1;2\n;\n3;4\n;\n;\n", column(0)) == "f32[3] [1, nan, 3]");  // rows of nothing at the end
  CHECK(csv("x,y\r1,2\r3,4\r", column(1)) == "f32[2] [2, 4]");
  CHECK(csv("x,y\n1,2,3\n", {}) == "E0503 line 2: 3 cells, and the first row has 2");
}

TEST_CASE("CSV cells that are missing") {
  CHECK(csv("x,y\n1,NA\nNaN,2\n,nan\n", {}) == "f32[3, 2] [[1, nan],\n [nan, 2],\n [nan, nan]]");
  CHECK(csv("y\n2\n10\n1\nNA\n", column("y"), Element::i32) == "E0503 line 5, column `y`: `NA` is missing, and no integer says so");
  CHECK(csv("x,y\n2,\n", column("y"), Element::i64) == "E0503 line 2, column `y`: an empty cell is missing, and no integer says so");
  CHECK(csv("x,y\n2,a\n3,\n", column("y")) == "E0503 line 3, column `y`: an empty cell is missing, and no integer says so");
}

TEST_CASE("texts become codes where a whole column is text") {
  CHECK(csv("y\n2\n10\n1\ncat\n", column("y"), Element::i32) == "E0503 line 5, column `y`: `cat` is text in a column of numbers");
  CHECK(csv("y\na\nb\n1\n", column("y"), Element::i32) == "E0503 line 4, column `y`: `1` is a number in a column of texts");
  CHECK(csv("y,x\na,1\nb,2\n7,3\n", column("y")) == "E0503 line 2, column `y`: `a` is not a number");
  const KnownCategories known{"train.csv", {{"ant", "cat", "dog"}}};
  CHECK(csv("y\ndog\ncat\n", column("y"), Element::i32, &known) == "i32[2] [2, 1]");
  CHECK(csv("y\ndog\ncow\n", column("y"), Element::i32, &known) ==
        "E0503 line 3, column `y`: `cow` is none of the categories of train.csv");
  CHECK(csv("y\n0\n1\n", column("y"), Element::i32, &known) == "E0503 line 2, column `y`: `0` is none of the categories of train.csv");
  const KnownCategories numbers{"train.csv", {{}}};
  CHECK(csv("y\ndog\n", column("y"), Element::i32, &numbers) ==
        "E0503 line 2, column `y`: `dog` is no number, and train.csv has numbers there");
  CHECK(csv("y\n4\n", column("y"), Element::i32, &numbers) == "i32[1] [4]");
}

TEST_CASE("CSV errors name line and column") {
  CHECK(csv("x,y\n1,2\n3\n", column(0)) == "E0503 line 3: 1 cell, and the first row has 2");
  CHECK(csv("x,y\n1,2\n3,b\n", column("y"), Element::f64) == "E0503 line 3, column `y`: `b` is not a number");
  CHECK(csv("x\n1\n2.5\n", column(0), Element::i32) == "E0503 line 3, column `x`: `2.5` is not a whole number of type i32");
  CHECK(csv("x\n1\n3000000000\n", column(0), Element::i32) == "E0503 line 3, column `x`: `3000000000` is too large for i32");
  CHECK(csv("x\n1\n9223372036854775808\n", column(0), Element::i64) ==
        "E0503 line 3, column `x`: `9223372036854775808` is too large for i64");
  CHECK(csv("x\n1\n1e400\n", column(0), Element::f64) == "E0503 line 3, column `x`: `1e400` is too large for f64");
  CHECK(csv("x\n1\n-1e39\n", column(0)) == "E0503 line 3, column `x`: `-1e39` is too large for f32");
  CHECK(csv("x\n1e-400\n-inf\n", column(0)) == "f32[2] [0, -inf]");
  for (const char* cell : {"+-1", "-+1", "--1", "1_0", "0x10", "+", "nan(1)", "-nan", "1.2.3"})
    CHECK(csv("x,y\n1,1\n" + std::string(cell) + ",2\n", column(0)) ==
          "E0503 line 3, column `x`: `" + std::string(cell) + "` is not a number");
  CHECK(csv("x,y\n1,2\n", column("z")) == "E0503 there is no column `z`");
  CHECK(csv("x,y,x\n1,2,3\n", column("x")) == "E0503 columns 0 and 2 are both named `x`");
  CHECK(csv("x,y,x\n1,2,3\n", column(2)) == "f32[1] [3]");
  CHECK(csv("x,y\n1,2\n", column(2)) == "E0503 column 2 is asked for, and there are 2");
  CHECK(csv("", {}) == "E0503 there are no rows of data");
  CHECK(csv("x,y\n", {}) == "E0503 there are no rows of data");
  CHECK(csv("x\n\"1\n2\n", column(0)) == "E0503 line 3: a quote is not closed");
  CHECK(csv("PK\3\4 ...", {}) == "E0503 it is a zip archive (an Excel workbook, or what PyTorch saves)");
  CHECK(csv("\xFF\xFEx\0", {}) == "E0503 it is UTF-16");
  CHECK(csv("gr\xF6\xDF"
            "e\n1\n",
            column(0)) == "E0503 it is not in UTF-8");
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
  std::string ragged = "1";  // more elements than memory has, were it as regular as its first parts
  for (int depth = 0; depth < 16; ++depth) {
    ragged = "[" + ragged;
    for (int i = 0; i < 100; ++i) ragged += ", 1";
    ragged += "]";
  }
  CHECK(json_round(ragged) == "E0504 the value of x does not fit: its arrays are not of the same length");
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
  const std::string a = R"("a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})";
  CHECK(safetensors("{" + a + R"(, "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})", data) ==
        "a f32[1] [1.5];b f32[1] [-2];");
  CHECK(safetensors("{" + a + R"(, "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", data) == "E0503");  // overlaps
  CHECK(safetensors("{" + a + "," + a + "}", data) == "E0503");                                                        // twice
  CHECK(safetensors(good, data.substr(1)) == "E0503");                                                                 // too little data
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

TEST_CASE("what is read is bounded") {
  const Folder folder;
  auto error = [](const std::string& path, std::size_t most) {
    Diagnostics diagnostics;
    CHECK_FALSE(read_file(path, diagnostics, {}, most));
    return only_error(diagnostics);
  };
  CHECK(error("/dev/zero", 1 << 20) == "E0502 cannot read /dev/zero: it is a device, and may never end");
  CHECK(error(folder.file("a.txt", "12345"), 4).ends_with("it is larger than 4 bytes"));
  REQUIRE(mkfifo((folder.path / "pipe").c_str(), 0600) == 0);
  CHECK(error((folder.path / "pipe").string(), 4).ends_with("it is a pipe"));
  CHECK(error("/no/such/file.csv", 4) == "E0502 cannot read /no/such/file.csv: No such file or directory");
  Diagnostics diagnostics;
  CHECK(read_file(folder.file("b.txt", "1234"), diagnostics, {}, 4) == "1234");
}

TEST_CASE("short numbers are read as exactly as others") {
  for (std::uint64_t seed = 1; seed < 20'000; ++seed) {
    std::uint64_t draw = seed * 0x9E3779B97F4A7C15u;
    std::string digits = std::to_string((draw ^ draw >> 29) >> draw % 60);
    const std::size_t point = draw % (digits.size() + 1);
    std::string text = digits;
    if (point > 0 && point < digits.size()) text.insert(point, ".");
    if (seed % 3 == 0) text = "-" + text;
    INFO(text);
    const Cell cell = read_cell(text, false);
    REQUIRE(cell.kind == CellKind::number);
    REQUIRE(cell.value == std::strtod(text.c_str(), nullptr));
  }
  CHECK(std::signbit(read_cell("-0", false).value));
  for (const char* text : {"-", ".", "1.", ".5.", "1.2.3", "1-", "--1", "1 "})
    CHECK(read_cell(text, false).kind == read_cell(std::string("+") + text, false).kind);
  CHECK(read_cell("1.", false).value == 1);
}

TEST_CASE("large files are read to a disk, to the same numbers") {
  Diagnostics diagnostics;
  const Folder folder;
  std::string text = "x,\"y\"\n";
  for (int i = 0; i < 150'000; ++i) text += std::to_string(i) + ".25," + (i % 7 == 0 ? "\"-1\"" : std::to_string(i % 100)) + "\n";
  const std::string path = folder.file("large.csv", text);
  const auto small = read_data(path, 1 << 30, 1 << 30, diagnostics), large = read_data(path, 0, 1 << 20, diagnostics);
  REQUIRE((small && large));
  CHECK(small->place() == Place::memory);
  CHECK(large->place() == Place::disk);
  CHECK(small->view() == large->view());
  const auto columns = [&](const FileBytes& bytes) {
    const auto table = read_csv_table(bytes.view(), "large.csv", true, diagnostics, {}, bytes.place());
    return read_columns(*table, "large.csv", {}, Element::f32, Element::f32, nullptr, diagnostics)->tensor;
  };
  const std::size_t before = Tensor::live_bytes();
  const Tensor on_disk = columns(*large);
  CHECK(Tensor::live_bytes() == before);
  const Tensor in_memory = columns(*small);
  CHECK(std::memcmp(on_disk.raw(), in_memory.raw(), in_memory.bytes()) == 0);

  const std::string array = folder.file("large.npy", npy_text(in_memory));
  const auto file = read_data(array, 0, 1 << 20, diagnostics);
  REQUIRE(file);
  auto mapped = read_npy(*file, "large.npy", diagnostics);
  REQUIRE(mapped);
  CHECK(std::as_const(*mapped).raw() == file->from(file->view().size() - mapped->bytes()).get());
  CHECK(std::memcmp(std::as_const(*mapped).raw(), in_memory.raw(), in_memory.bytes()) == 0);
  mapped->set_real(0, 7);  // of its own from now on
  CHECK(mapped->real_at(0) == 7);
  CHECK(read_npy(*file, "large.npy", diagnostics)->real_at(0) == 0.25);
  CHECK(diagnostics.all().empty());
}

TEST_CASE("arrays of NumPy read back, and a header that says nothing is refused") {
  Diagnostics diagnostics;
  const Tensor array = Tensor::from_reals(Type::of_sizes(Element::f64, {2, 3}), std::vector<double>{1, 2, 3, 4, 5, 6});
  const auto back = read_npy(npy_text(array), "a.npy", diagnostics);
  REQUIRE(back);
  CHECK(same_type(back->type(), array.type()));
  CHECK(back->real_at(5) == 6);
  const auto refuse = [](const std::string& header) {
    Diagnostics said;
    std::string file = "\x93NUMPY\1";
    file += {0, static_cast<char>(header.size()), 0};
    CHECK_FALSE(read_npy(file + header, "a.npy", said));
    REQUIRE(said.all().size() == 1);
    CHECK(said.all().front().code == Code::E0503);
  };
  for (const char* header :
       {"", "{'descr': ''    }", "{'descr': '<'   }", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<c8', 'fortran_order': False, 'shape': (), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (), }", "{'descr': '<f8', 'shape': ()}"})
    refuse(header);
}
