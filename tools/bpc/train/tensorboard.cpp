#include "tools/bpc/train/tensorboard.h"

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace bpc::tool {

namespace {

// CRC-32C (Castagnoli), reflected; zlib has the other polynomial.
constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78u : 0);
    table[i] = value;
  }
  return table;
}();

std::uint32_t crc(std::string_view bytes) {
  std::uint32_t value = ~0u;
  for (const char byte : bytes) value = value >> 8 ^ kTable[(value ^ static_cast<unsigned char>(byte)) & 255];
  return ~value;
}

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  const std::uint32_t value = crc(bytes);
  return little_endian<std::uint32_t>((value >> 15 | value << 17) + 0xA282EAD8u);
}

std::string record(const std::string& event) {
  const std::string length = little_endian<std::uint64_t>(event.size());
  return length + masked_crc(length) + event + masked_crc(event);
}

// ---- fields of protocol buffers, by their number ----

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}
std::string number(int field, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}
std::string real64(int field, double value) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 1) + little_endian(std::bit_cast<std::uint64_t>(value));
}
std::string real32(int field, float value) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 5) + little_endian(std::bit_cast<std::uint32_t>(value));
}
std::string bytes(int field, std::string_view value) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(value.size()) + std::string(value);
}

enum EventField { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum ValueField { kTag = 1, kSimpleValue = 2 };

}  // namespace

std::string event_file(const std::vector<std::string>& measured, const std::vector<Epoch>& history, double start) {
  std::string file = record(real64(kWallTime, start) + bytes(kFileVersion, "brain.Event:2"));
  for (const Epoch& epoch : history) {
    std::string summary;
    const auto add = [&](const char* rows, const std::vector<double>& values) {
      for (std::size_t i = 0; i < values.size(); ++i)
        summary += bytes(1, bytes(kTag, std::string(rows) + "/" + measured[i]) + real32(kSimpleValue, static_cast<float>(values[i])));
    };
    add("training", epoch.training);
    add("validation", epoch.validation);
    file +=
        record(real64(kWallTime, start + epoch.seconds) + number(kStep, static_cast<std::uint64_t>(epoch.step)) + bytes(kSummary, summary));
  }
  return file;
}

}  // namespace bpc::tool
