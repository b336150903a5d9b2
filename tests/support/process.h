// Runs the real `bpc` as a user would.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bpc::test {

struct Finished {
  int code = -1;           // the exit status; 128 + n when signal n ended it
  bool timed_out = false;  // it was killed
  std::string out, err;
};

// The `bpc` of this build.
std::string bpc_path();
// The root of the source tree; commands run there.
std::string source_dir();

Finished run(const std::vector<std::string>& words, std::string_view input = {}, double timeout_seconds = 60);
// `bpc` with these words.
Finished run_bpc(std::vector<std::string> words, std::string_view input = {}, double timeout_seconds = 60);

std::string read_file(const std::string& path);
// Files of a folder of the source tree with this ending, sorted, relative to the root.
std::vector<std::string> files_in(const std::string& folder, std::string_view ending);

// The scripts that every way of running is tried on: those of tests/run and examples, or the one that BPC_SCRIPT in the environment names.
std::vector<std::string> every_script();

// A script that needs flags names them in its first line: `# flags: --set N=3`.
std::vector<std::string> flags_of(const std::string& script);

// Compares with a golden file; with BPC_UPDATE_GOLDEN=1 in the environment writes it instead (tests/update_golden.sh).
// Returns what differs, or empty.
std::string compare_with_golden(const std::string& path, const std::string& actual);

// A folder that lives as long as the object.
struct Folder {
  std::filesystem::path path;
  Folder();
  ~Folder();
  std::string write(const std::string& name, const std::string& bytes) const;  // the file's path
};

}  // namespace bpc::test
