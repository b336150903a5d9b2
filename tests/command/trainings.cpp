#include "tests/command/trainings.h"

#include <catch2/catch.hpp>

#include "runtime/io/safetensors.h"

namespace bpc::test {

const char* const kNet = R"(
dim N
input x : [N, 2] = [[0, 0], [0, 1], [1, 0], [1, 1], [2, 2], [3, 1], [1, 3]]
input y : [N] = [0, 1, 1, 0, 1, 0, 1]
fn dense(x: [B, I], O) {
  param W : [I, O] = normal(0, 1)
  param b : [O] = 0
  return x @ W + b
}
h = dropout(tanh(dense(x, 4)), 0.1)
z = squeeze(dense(h, 1), 1)
loss J = mean(bce_with_logits(z, y))
print "not while it learns"
train {
  optimizer = adam(lr = 0.05)
  metrics   = accuracy
  epochs    = 6
  batch     = 3
}
)";

Finished train(const std::string& script, std::vector<std::string> flags, double timeout) {
  std::vector<std::string> words{"train", script};
  words.insert(words.end(), flags.begin(), flags.end());
  return run_bpc(words, {}, timeout);
}

std::map<std::string, runtime::Tensor> kept(const std::filesystem::path& file) {
  Diagnostics diagnostics;
  auto tensors = runtime::read_safetensors(read_file(file.string()), file.string(), diagnostics);
  REQUIRE(tensors);
  return *tensors;
}

std::string bits(const std::filesystem::path& file) {
  std::string all;
  for (const auto& [name, tensor] : kept(file)) all += name + std::string(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  return all;
}

double number(const std::filesystem::path& file, const std::string& name) {
  return kept(file).at(name).real_at(0);
}

std::vector<nlohmann::json> log_of(const std::filesystem::path& file) {
  std::vector<nlohmann::json> rows;
  const std::string text = read_file(file.string());
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    rows.push_back(nlohmann::json::parse(text.substr(at, end - at)));
  return rows;
}

void check_refused(const Finished& finished, int code, const std::string& what) {
  INFO(finished.err);
  CHECK(finished.code == code);
  CHECK(finished.err.find(what) != std::string::npos);
}

}  // namespace bpc::test
