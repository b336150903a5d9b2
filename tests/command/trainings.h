// What the tests of `bpc train` share.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/tensor.h"
#include "tests/support/process.h"

namespace bpc::test {

// A net whose draws, dropout and batches show whether a training is the same.
extern const char* const kNet;

Finished train(const std::string& script, std::vector<std::string> flags = {}, double timeout = 60);
// The tensors of a safetensors file; one of them that is a number; all of them, to the bit.
std::map<std::string, runtime::Tensor> kept(const std::filesystem::path& file);
double number(const std::filesystem::path& file, const std::string& name);
std::string bits(const std::filesystem::path& file);
// The lines of a .jsonl file.
std::vector<nlohmann::json> log_of(const std::filesystem::path& file);
void check_refused(const Finished& finished, int code, const std::string& what);

}  // namespace bpc::test
