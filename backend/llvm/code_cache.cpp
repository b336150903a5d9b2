#include "backend/llvm/code_cache.h"

#include <dlfcn.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/CachePruning.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Support/xxhash.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "runtime/io/write_file.h"

namespace bpc::backend {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr std::chrono::hours kUnused{24 * 30}, kBetweenLooks{1};

using Checksum = std::uint64_t;

// This code generator, as it was built: the file that holds it. Empty where that cannot be told.
std::string builder() {
  Dl_info info{};
  struct stat file{};
  static const char here = 0;
  if (!dladdr(&here, &info) || !info.dli_fname || stat(info.dli_fname, &file) != 0) return "";
  return std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec) + " " + std::to_string(file.st_size) + " " +
         std::to_string(file.st_ino);
}

// Code that others could have put there is not run.
bool is_own(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0 && found.st_uid == geteuid() && (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::string CodeCache::name(llvm::StringRef bitcode, const llvm::TargetMachine& machine) const {
  static const std::string made_by = builder();
  if (folder_.empty() || made_by.empty()) return "";
  llvm::SmallString<0> bytes = bitcode;
  llvm::raw_svector_ostream out(bytes);
  out << '\0' << LLVM_VERSION_STRING << '\0' << machine.getTargetTriple().str() << '\0' << machine.getTargetCPU() << '\0'
      << machine.getTargetFeatureString() << '\0' << static_cast<int>(machine.getOptLevel()) << '\0' << made_by;
  const auto digest = llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
  return (fs::path(folder_) / ("llvmcache-" + llvm::toHex(digest, true))).string();  // pruneCache knows files by this beginning
}

std::unique_ptr<llvm::MemoryBuffer> CodeCache::find(const std::string& name) const {
  if (name.empty() || !is_own(folder_) || !is_own(name)) return nullptr;
  auto file = llvm::MemoryBuffer::getFile(name, false, false);
  if (!file || (*file)->getBufferSize() < sizeof(Checksum)) return nullptr;
  const llvm::StringRef object = (*file)->getBuffer().drop_back(sizeof(Checksum));
  Checksum expected = 0;
  std::memcpy(&expected, object.end(), sizeof expected);
  if (llvm::xxh3_64bits(object) != expected) return nullptr;
  std::error_code ignored;
  fs::last_write_time(name, fs::file_time_type::clock::now(), ignored);  // it is in use
  return llvm::MemoryBuffer::getMemBufferCopy(object, name);
}

void CodeCache::keep(const std::string& name, llvm::StringRef object) const {
  if (name.empty()) return;
  std::error_code failed;
  if (fs::create_directories(folder_, failed); failed) return;
  fs::permissions(folder_, fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove, failed);
  std::string bytes = object.str();
  const Checksum checksum = llvm::xxh3_64bits(object);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  Diagnostics unread;
  if (!is_own(folder_) || !runtime::write_file(name, bytes, unread)) return;
  llvm::CachePruningPolicy policy;
  policy.Interval = kBetweenLooks;
  policy.Expiration = kUnused;
  policy.MaxSizeBytes = kMostBytes;
  llvm::pruneCache(folder_, policy);
}

}  // namespace bpc::backend
