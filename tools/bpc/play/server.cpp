#include "tools/bpc/play/server.h"

#include <fcntl.h>
#include <httplib.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

namespace bpc::tool {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostText = 1 << 20;   // bytes of a script
constexpr std::size_t kMostPage = 64 << 20;  // bytes of what is made of one
constexpr std::size_t kThreads = 32;         // requests at a time, most of which wait

// Takes as long for a wrong token as for a right one.
bool is_same(const std::string& a, const std::string& b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i % std::max<std::size_t>(b.size(), 1)]);
  return difference == 0;
}

// Of the folder itself: nothing that leads out of it.
bool is_script_name(const std::string& name) {
  return name.size() > 3 && name.ends_with(".bp") && name[0] != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c >= 0x80;
         });
}

struct Finished {
  int code = -1;  // -1: it was stopped
  std::string out, err;
};

// A command that runs for a tab. A newer text of the same tab stops it.
class Runs {
 public:
  explicit Runs(std::size_t most) : free_(most) {}

  Finished run(const std::string& tab, std::vector<std::string> words, const std::string& folder, const std::string& input) {
    const std::uint64_t turn = enter(tab);
    if (turn == 0) return {};
    Finished finished;
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    FILE* err = std::tmpfile();
    pid_t child = -1;
    if (err && pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0) child = start(words, folder, in[0], out[1], fileno(err));
    for (int end : {in[0], out[1]})
      if (end >= 0) close(end);
    if (child > 0) {
      watch(tab, turn, child);
      std::thread writer([&] {
        for (std::size_t at = 0; at < input.size();) {
          const ssize_t written = write(in[1], input.data() + at, input.size() - at);
          if (written <= 0) break;
          at += static_cast<std::size_t>(written);
        }
        close(in[1]);
      });
      char buffer[1 << 16];
      for (ssize_t count; (count = read(out[0], buffer, sizeof buffer)) > 0 && finished.out.size() < kMostPage;)
        finished.out.append(buffer, static_cast<std::size_t>(count));
      if (finished.out.size() >= kMostPage) kill(child, SIGKILL);
      writer.join();
      forget(tab, child);
      int status = 0;
      waitpid(child, &status, 0);
      finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    } else if (in[1] >= 0) {
      close(in[1]);
    }
    if (out[0] >= 0) close(out[0]);
    if (err) {
      std::rewind(err);
      char buffer[4096];
      for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, err)) > 0 && finished.err.size() < kMostText;)
        finished.err.append(buffer, count);
      std::fclose(err);
    }
    leave();
    return finished;
  }

 private:
  struct Tab {
    std::uint64_t turn = 0;  // of the newest text
    pid_t child = -1;
  };

  // Waits for its turn; 0 where a newer text came meanwhile.
  std::uint64_t enter(const std::string& tab) {
    std::unique_lock lock(mutex_);
    Tab& mine = tabs_[tab];
    const std::uint64_t turn = mine.turn = ++turns_;
    if (mine.child > 0) kill(mine.child, SIGKILL);
    changed_.notify_all();
    changed_.wait(lock, [&] { return free_ > 0 || tabs_[tab].turn != turn; });
    if (tabs_[tab].turn != turn) return 0;
    --free_;
    return turn;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    ++free_;
    changed_.notify_all();
  }
  void watch(const std::string& tab, std::uint64_t turn, pid_t child) {
    const std::lock_guard lock(mutex_);
    tabs_[tab].child = child;
    if (tabs_[tab].turn != turn) kill(child, SIGKILL);
  }
  // Before it is waited for: its number may be another's afterwards.
  void forget(const std::string& tab, pid_t child) {
    const std::lock_guard lock(mutex_);
    if (tabs_[tab].child == child) tabs_[tab].child = -1;
  }

  static pid_t start(std::vector<std::string>& words, const std::string& folder, int in, int out, int err) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    pid_t child = -1;
    if (posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) child = -1;
    posix_spawn_file_actions_destroy(&actions);
    return child;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t free_;
  std::uint64_t turns_ = 0;
  std::map<std::string, Tab> tabs_;
};

class Server {
 public:
  explicit Server(const Playground& playground) : play_(playground), runs_(std::max(1u, std::thread::hardware_concurrency())) {}

  bool serve() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // httplib deletes it
    server_.set_payload_max_length(kMostText);
    server_.set_socket_options([](auto) {});  // two servers do not share a port
    server_.set_default_headers({{"Cache-Control", "no-store"},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"X-Frame-Options", "DENY"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"Cross-Origin-Resource-Policy", "same-origin"}});
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (is_allowed(request)) return httplib::Server::HandlerResponse::Unhandled;
      response.status = 403;
      response.set_content("Open the address that `bpc play` has printed.\n", "text/plain; charset=utf-8");
      return httplib::Server::HandlerResponse::Handled;
    });
    server_.Get("/", [this](const auto&, auto& response) { response.set_content(play_.shell, "text/html; charset=utf-8"); });
    server_.Get("/scripts", [this](const auto&, auto& response) { list(response); });
    server_.Get("/script", [this](const auto& request, auto& response) { open(request, response); });
    server_.Post("/script", [this](const auto& request, auto& response) { save(request, response); });
    server_.Post("/page", [this](const auto& request, auto& response) { explain(request, response); });
    port_ = play_.port != 0 && server_.bind_to_port("127.0.0.1", play_.port) ? play_.port
            : play_.port == 0                                                ? server_.bind_to_any_port("127.0.0.1")
                                                                             : -1;
    if (port_ <= 0) return false;
    play_.ready(port_);
    return server_.listen_after_bind();
  }

 private:
  // What is asked from this machine, by the page that this server has given, with the token. A page of another server can reach the port,
  // and by a name of its own even as if it were this one ("DNS rebinding"): its Host or Origin is another.
  bool is_allowed(const httplib::Request& request) const {
    const std::string host = request.get_header_value("Host"), origin = request.get_header_value("Origin"),
                      site = request.get_header_value("Sec-Fetch-Site");
    if (host != host_of("127.0.0.1") && host != host_of("localhost")) return false;
    if (!origin.empty() && origin != "http://" + host) return false;
    if (!site.empty() && site != "same-origin" && site != "none") return false;
    const bool is_first = request.method == "GET" && request.path == "/";
    return is_same(is_first ? request.get_param_value("token") : request.get_header_value("X-Bpc-Token"), play_.token);
  }
  std::string host_of(const std::string& name) const { return name + ":" + std::to_string(port_); }

  void list(httplib::Response& response) const {
    json names{{"first", play_.file}, {"scripts", json::array()}, {"groups", json::array()}};
    std::vector<std::string> scripts;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(play_.folder, ignored))
      if (const std::string name = entry.path().filename().string(); is_script_name(name) && entry.is_regular_file(ignored))
        scripts.push_back(name);
    std::sort(scripts.begin(), scripts.end());
    names["scripts"] = scripts;
    json& groups = names["groups"];
    for (const Playground::Example& example : play_.examples) {
      if (groups.empty() || groups.back()["name"] != example.group)
        groups.push_back({{"name", example.group}, {"examples", json::array()}});
      groups.back()["examples"].push_back(example.name);
    }
    answer(response, names);
  }

  void open(const httplib::Request& request, httplib::Response& response) const {
    const std::string name = request.get_param_value("name");
    if (request.has_param("group")) {
      for (const Playground::Example& example : play_.examples)
        if (example.group == request.get_param_value("group") && example.name == name)
          return response.set_content(example.text, "text/plain; charset=utf-8");
    } else if (is_script_name(name)) {
      std::ifstream file(fs::path(play_.folder) / name, std::ios::binary);
      if (file) return response.set_content(std::string(std::istreambuf_iterator<char>(file), {}), "text/plain; charset=utf-8");
    }
    fail(response, 404, "there is no script `" + name + "`");
  }

  // Beside the script first, then in its place, so that it is never half there.
  void save(const httplib::Request& request, httplib::Response& response) const {
    const std::string name = request.get_param_value("name");
    if (!is_script_name(name)) return fail(response, 400, "a script's name has letters, digits, `-` and `_`, and ends in `.bp`");
    const fs::path path = fs::path(play_.folder) / name, beside = fs::path(play_.folder) / (name + ".new");
    std::ofstream file(beside, std::ios::binary);
    file << request.body;
    file.close();
    std::error_code error;
    if (file) fs::rename(beside, path, error);
    if (file && !error) return answer(response, {{"saved", name}});
    fs::remove(beside, error);
    fail(response, 500, "`" + name + "` cannot be written");
  }

  // The page of a text, or what is wrong with it.
  void explain(const httplib::Request& request, httplib::Response& response) {
    const Finished finished =
        runs_.run(request.get_param_value("tab"),
                  {play_.command, "explain", "--as=html", "--diagnostics=json", "--max-seconds=" + std::to_string(play_.max_seconds),
                   "--max-memory=" + std::to_string(play_.max_memory), "-"},
                  play_.folder, request.body);
    json result{{"code", finished.code}, {"page", finished.code == 0 ? finished.out : ""}, {"messages", json::array()}};
    std::istringstream lines(finished.err);
    for (std::string line; std::getline(lines, line);)
      if (json message = json::parse(line, nullptr, false); !message.is_discarded()) result["messages"].push_back(std::move(message));
    answer(response, result);
  }

  static void answer(httplib::Response& response, const json& what) {
    response.set_content(what.dump(-1, ' ', false, json::error_handler_t::replace), "application/json");
  }
  static void fail(httplib::Response& response, int status, const std::string& why) {
    response.status = status;
    answer(response, {{"error", why}});
  }

  const Playground& play_;
  httplib::Server server_;
  Runs runs_;
  int port_ = 0;
};

}  // namespace

extern "C" bool bpc_serve(const Playground& playground) {
  signal(SIGPIPE, SIG_IGN);  // a browser may leave, and a command end before it has read all
  return Server(playground).serve();
}

}  // namespace bpc::tool
