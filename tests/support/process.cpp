#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>

namespace bpc::test {

namespace {

namespace fs = std::filesystem;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
};

[[noreturn]] void become(const std::vector<std::string>& words, const Pipe& in, const Pipe& out, const Pipe& err) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  dup2(in.ends[0], STDIN_FILENO);
  dup2(out.ends[1], STDOUT_FILENO);
  dup2(err.ends[1], STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  if (chdir(source_dir().c_str()) == 0) execvp(arguments[0], arguments.data());
  _exit(127);
}

// Reads both streams and feeds the input until the process closes them or time is up. False: time is up.
bool converse(Pipe& in, Pipe& out, Pipe& err, std::string_view input, Finished& finished, double timeout_seconds) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_seconds);
  if (input.empty()) in.close_end(1);
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 3> fds{{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}}};
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0 || poll(fds.data(), fds.size(), static_cast<int>(left)) == 0) return false;
    for (int i = 0; i < 2; ++i) {
      if (!(fds[i].revents & (POLLIN | POLLHUP))) continue;
      Pipe& pipe = i == 0 ? out : err;
      std::array<char, 65536> buffer;
      ssize_t count = read(pipe.ends[0], buffer.data(), buffer.size());
      if (count <= 0) {
        pipe.close_end(0);
      } else {
        (i == 0 ? finished.out : finished.err).append(buffer.data(), static_cast<std::size_t>(count));
      }
    }
    if (fds[2].revents & (POLLOUT | POLLERR)) {
      ssize_t count = write(in.ends[1], input.data(), std::min<std::size_t>(input.size(), 4096));
      if (count > 0) input.remove_prefix(static_cast<std::size_t>(count));
      if (count < 0 || input.empty()) in.close_end(1);
    }
  }
  return true;
}

}  // namespace

std::string bpc_path() {
  return BPC_BINARY;
}
std::string source_dir() {
  return BPC_SOURCE_DIR;
}

Finished run(const std::vector<std::string>& words, std::string_view input, double timeout_seconds) {
  signal(SIGPIPE, SIG_IGN);
  Pipe in, out, err;
  pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) become(words, in, out, err);
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  Finished finished;
  finished.timed_out = !converse(in, out, err, input, finished, timeout_seconds);
  if (finished.timed_out) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

Finished run_bpc(std::vector<std::string> words, std::string_view input, double timeout_seconds) {
  words.insert(words.begin(), bpc_path());
  return run(words, input, timeout_seconds);
}

std::string read_file(const std::string& path) {
  fs::path whole = fs::path(path).is_absolute() ? fs::path(path) : fs::path(source_dir()) / path;
  std::ifstream file(whole, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + whole.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> files_in(const std::string& folder, std::string_view ending) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(source_dir()) / folder)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(ending)) files.push_back(folder + "/" + name);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> every_script() {
  if (const char* one = std::getenv("BPC_SCRIPT")) return {one};
  std::vector<std::string> files = files_in("tests/run", ".bp");
  for (const char* folder : {"examples", "examples/models"})
    for (std::string& example : files_in(folder, ".bp")) files.push_back(std::move(example));
  return files;
}

std::vector<std::string> flags_of(const std::string& script) {
  std::istringstream lines(read_file(script));
  std::string line, word;
  std::getline(lines, line);
  std::vector<std::string> flags;
  if (line.starts_with("# flags: "))
    for (std::istringstream words(line.substr(9)); words >> word;) flags.push_back(word);
  return flags;
}

std::string compare_with_golden(const std::string& path, const std::string& actual) {
  fs::path whole = fs::path(source_dir()) / path;
  if (const char* update = std::getenv("BPC_UPDATE_GOLDEN"); update && *update == '1') {
    std::ofstream(whole, std::ios::binary) << actual;
    return {};
  }
  if (!fs::exists(whole)) return path + " is missing; tests/update_golden.sh writes it";
  std::string expected = read_file(path);
  if (expected == actual) return {};
  return path + " says\n" + expected + "\nbut there is now\n" + actual + "\n(tests/update_golden.sh accepts it)";
}

Folder::Folder() : path(std::filesystem::temp_directory_path() / ("bpc-test-" + std::to_string(std::random_device{}()))) {
  std::filesystem::create_directories(path);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::string Folder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path / name, std::ios::binary) << bytes;
  return (path / name).string();
}

}  // namespace bpc::test
