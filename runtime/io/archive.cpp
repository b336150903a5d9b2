#include "runtime/io/archive.h"

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "runtime/dynamic_library.h"

namespace bpc::runtime {

namespace {

// How a reader says what is wrong.
class Failure {
 public:
  Failure(const std::string& name, Diagnostics& diagnostics, Span span) : name_(name), diagnostics_(diagnostics), span_(span) {}

  std::nullopt_t damaged(const std::string& what) const {
    diagnostics_.error(Code::E0503, span_, fmt::format("{}: {}", name_, what));
    return std::nullopt;
  }
  std::nullopt_t too_large(std::size_t most) const {
    diagnostics_.error(Code::E0502, span_, fmt::format("cannot read {}: it holds more than {} bytes", name_, most))
        .with_help("`--max-memory=BYTES` lets a data file be larger");
    return std::nullopt;
  }

 private:
  const std::string& name_;
  Diagnostics& diagnostics_;
  Span span_;
};

// libzip brings five libraries with it: it is loaded when the first archive comes.
struct Zip {
  decltype(&zip_source_buffer_create) source_buffer_create;
  decltype(&zip_source_free) source_free;
  decltype(&zip_open_from_source) open_from_source;
  decltype(&zip_discard) discard;
  decltype(&zip_get_num_entries) get_num_entries;
  decltype(&zip_stat_index) stat_index;
  decltype(&zip_fopen_index) fopen_index;
  decltype(&zip_fread) fread;
  decltype(&zip_fclose) fclose;
};

const Zip* load_zip() {
  static Zip zip;
  void* library = dlopen(BPC_ZIP, RTLD_LAZY | RTLD_LOCAL);
  const bool is_whole =
      library && find_function(library, "zip_source_buffer_create", zip.source_buffer_create) &&
      find_function(library, "zip_source_free", zip.source_free) && find_function(library, "zip_open_from_source", zip.open_from_source) &&
      find_function(library, "zip_discard", zip.discard) && find_function(library, "zip_get_num_entries", zip.get_num_entries) &&
      find_function(library, "zip_stat_index", zip.stat_index) && find_function(library, "zip_fopen_index", zip.fopen_index) &&
      find_function(library, "zip_fread", zip.fread) && find_function(library, "zip_fclose", zip.fclose);
  return is_whole ? &zip : nullptr;
}

}  // namespace

bool is_gzip(std::string_view file) {
  return file.starts_with("\x1F\x8B");
}
bool is_zip(std::string_view file) {
  return file.starts_with("PK\3\4") || file.starts_with("PK\5\6");
}

std::optional<std::string> gunzip(std::string_view file, const std::string& name, std::size_t most, Diagnostics& diagnostics, Span span) {
  const Failure fail(name, diagnostics, span);
  constexpr int kGzip = 16 + MAX_WBITS;  // of inflateInit2
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
  std::string text;
  int state = Z_OK;
  while (true) {
    if (stream.avail_in == 0) {
      if (file.empty()) break;
      const std::size_t size = std::min(file.size(), kChunk);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));
      stream.avail_in = static_cast<uInt>(size);
      file.remove_prefix(size);
    }
    if (state == Z_STREAM_END && inflateReset(&stream) != Z_OK) break;  // several streams, one after the other
    const std::size_t before = text.size();
    text.resize(before + kChunk);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = kChunk;
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) return fail.damaged("its compressed data (gzip) are damaged");
    if (text.size() > most) return fail.too_large(most);
  }
  if (state != Z_STREAM_END) return fail.damaged("its compressed data (gzip) end too early");
  return text;
}

std::optional<std::map<std::string, std::string>> unzip(std::string_view file, const std::string& name, std::size_t most,
                                                        Diagnostics& diagnostics, Span span) {
  const Failure fail(name, diagnostics, span);
  static const Zip* const zip = load_zip();
  if (!zip) return fail.damaged("the library that reads archives, " BPC_ZIP ", is not there");
  zip_source_t* source = zip->source_buffer_create(file.data(), file.size(), 0, nullptr);
  if (!source) throw std::bad_alloc();
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip->open_from_source(source, ZIP_RDONLY, nullptr), zip->discard);
  if (!archive) {
    zip->source_free(source);
    return fail.damaged("not a whole archive (zip)");
  }
  std::map<std::string, std::string> files;
  std::size_t total = 0;
  const zip_int64_t count = zip->get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t about;
    const auto index = static_cast<zip_uint64_t>(i);
    constexpr zip_uint64_t kWanted = ZIP_STAT_NAME | ZIP_STAT_SIZE;
    if (zip->stat_index(archive.get(), index, 0, &about) != 0 || (about.valid & kWanted) != kWanted)
      return fail.damaged("an entry of the archive is damaged");
    if (about.size > most - total) return fail.too_large(most);
    total += about.size;
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip->fopen_index(archive.get(), index, 0), zip->fclose);
    std::string text(about.size, '\0');
    if (!entry || zip->fread(entry.get(), text.data(), text.size()) != static_cast<zip_int64_t>(text.size()))
      return fail.damaged(fmt::format("`{}` in the archive is damaged", about.name));
    // The end of it is where its checksum is looked at.
    char more = 0;
    if (zip->fread(entry.get(), &more, 1) != 0) return fail.damaged(fmt::format("`{}` in the archive is damaged", about.name));
    files.emplace(about.name, std::move(text));
  }
  return files;
}

}  // namespace bpc::runtime
