// `bpc play` as a browser meets it, and as a hostile page would.
#include <httplib.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/process.h"

namespace {

using bpc::test::Folder;
using Catch::Matchers::Contains;
using nlohmann::json;

// `bpc play` while the object lives.
class Play {
 public:
  explicit Play(const std::string& script) {
    int out[2];
    REQUIRE(pipe(out) == 0);
    const std::string bpc = bpc::test::bpc_path();
    char* words[] = {const_cast<char*>(bpc.c_str()), const_cast<char*>("play"), const_cast<char*>(script.c_str()), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    REQUIRE(posix_spawn(&process_, words[0], &actions, nullptr, words, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    std::string address;
    for (char c; read(out[0], &c, 1) == 1 && c != '\n';) address += c;
    close(out[0]);
    const std::string start = "http://127.0.0.1:", middle = "/?token=";
    REQUIRE_THAT(address, Catch::StartsWith(start) && Contains(middle));
    port = std::stoi(address.substr(start.size()));
    token = address.substr(address.find(middle) + middle.size());
  }
  ~Play() {
    kill(process_, SIGINT);
    for (int i = 0; i < 300 && waitpid(process_, nullptr, WNOHANG) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  httplib::Headers with_token(httplib::Headers more = {}) const {
    more.emplace("X-Bpc-Token", token);
    return more;
  }
  int status(const std::string& path, const httplib::Headers& headers) const {
    httplib::Client client("127.0.0.1", port);
    const auto answer = client.Get(path, headers);
    return answer ? answer->status : -1;
  }
  json page_of(const std::string& text, const std::string& tab = "t") const {
    httplib::Client client("127.0.0.1", port);
    client.set_read_timeout(60);
    const auto answer = client.Post("/page?tab=" + tab, with_token(), text, "text/plain");
    REQUIRE(answer);
    return json::parse(answer->body);
  }

  int port = 0;
  std::string token;

 private:
  pid_t process_ = -1;
};

}  // namespace

TEST_CASE("only the page that play has given reaches it") {
  const Folder folder;
  const Play play(folder.write("a.bp", "param w = 2\nloss J = w^2\n"));
  CHECK(play.status("/?token=" + play.token, {}) == 200);
  CHECK(play.status("/", {}) == 403);
  CHECK(play.status("/?token=" + play.token.substr(1), {}) == 403);
  CHECK(play.status("/?token=", {}) == 403);
  CHECK(play.status("/scripts", {}) == 403);
  CHECK(play.status("/scripts", {{"X-Bpc-Token", "wrong"}}) == 403);
  CHECK(play.status("/scripts", play.with_token()) == 200);
  const std::string own = "http://127.0.0.1:" + std::to_string(play.port);
  CHECK(play.status("/scripts", play.with_token({{"Origin", own}})) == 200);
  CHECK(play.status("/scripts", play.with_token({{"Origin", "http://example.org"}})) == 403);
  CHECK(play.status("/scripts", play.with_token({{"Origin", "null"}})) == 403);
  CHECK(play.status("/scripts", play.with_token({{"Sec-Fetch-Site", "cross-site"}})) == 403);
  CHECK(play.status("/scripts", play.with_token({{"Host", "example.org:" + std::to_string(play.port)}})) == 403);
}

TEST_CASE("play opens and saves scripts of one folder") {
  const Folder folder;
  std::filesystem::create_directory(folder.path / "inner");
  folder.write("secret.txt", "no script");
  folder.write("above.bp", "x = 1\n");
  const std::string script = folder.write("inner/a.bp", "param w = 2\nloss J = w^2\n");
  const Play play(script);
  httplib::Client client("127.0.0.1", play.port);
  const json names = json::parse(client.Get("/scripts", play.with_token())->body);
  CHECK(names["first"] == "a.bp");
  CHECK(names["scripts"] == json::array({"a.bp"}));
  CHECK(names["groups"][0]["name"] == "Course 1. One neuron and its loss");
  CHECK(names["groups"][0]["examples"][0] == "neuron.bp");
  CHECK(names["groups"].back()["name"] == "Examples");
  CHECK(names["groups"].back()["examples"].size() > 5);
  CHECK(client.Get("/script?name=a.bp", play.with_token())->body == "param w = 2\nloss J = w^2\n");
  CHECK_THAT(client.Get("/script?group=Examples&name=tutorial.bp", play.with_token())->body, Contains("relu"));
  // A name that two groups have.
  const std::string chapter = "/script?name=newton.bp&group=Course%2010.%20Second%20derivatives";
  CHECK_THAT(client.Get(chapter, play.with_token())->body, Contains("hessian"));
  CHECK_THAT(client.Get("/script?name=newton.bp&group=Examples", play.with_token())->body, Contains("third"));
  for (const char* name : {"..%2Fabove.bp", "%2Fetc%2Fpasswd", "..%2Fsecret.txt", ".bp", "none.bp", ""})
    CHECK(play.status(std::string("/script?name=") + name, play.with_token()) == 404);
  CHECK(client.Post("/script?name=b.bp", play.with_token(), "y = 2\n", "text/plain")->status == 200);
  CHECK(bpc::test::read_file((folder.path / "inner/b.bp").string()) == "y = 2\n");
  CHECK(client.Post("/script?name=..%2Fabove.bp", play.with_token(), "gone", "text/plain")->status == 400);
  CHECK(bpc::test::read_file((folder.path / "above.bp").string()) == "x = 1\n");
  CHECK(client.Post("/script?name=b.bp", play.with_token(), std::string(2 << 20, '#'), "text/plain")->status == 413);
  CHECK(bpc::test::read_file((folder.path / "inner/b.bp").string()) == "y = 2\n");
}

TEST_CASE("play makes pages of texts, and says what is wrong with them") {
  const Folder folder;
  folder.write("d.csv", "v\n3\n4\n");
  const Play play(folder.write("a.bp", "x = 1\n"));
  const json good = play.page_of("input v : [2] from \"d.csv\"[\"v\"]\nparam w = 2\nloss J = sum(w*v)\n");
  CHECK(good["code"] == 0);
  CHECK_THAT(good["page"].get<std::string>(), Contains("<!doctype html>"));
  const json wrong = play.page_of("loss J = v^2\n");
  CHECK(wrong["code"] == 1);
  CHECK(wrong["page"] == "");
  CHECK(wrong["messages"][0]["code"] == "E0103");
  CHECK(wrong["messages"][0]["column"] == 10);
}

TEST_CASE("a newer text stops the one before it") {
  const Folder folder;
  const Play play(folder.write("a.bp", "x = 1\n"));
  json endless;
  std::thread first([&] { endless = play.page_of("param w = 1\nk = 0\nwhile w > 0 { k += 1 }\nloss J = w + 0 * stop_grad(k)\n"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(play.page_of("param w = 1\nloss J = w\n")["code"] == 0);
  first.join();
  CHECK(endless["code"] == -1);
}
