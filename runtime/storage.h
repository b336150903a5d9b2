// Where large things lie: in memory, or on a disk, from where the system brings what is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bpc::runtime {

inline constexpr std::size_t kStorageAlignment = 64;  // bytes

enum class Place : std::uint8_t {
  memory,
  disk,  // mapped from a file without a name, in $TMPDIR or else /var/tmp; in memory where no such file is to be had
};

// The bytes of memory that the process may fill: the machine's, or less where its group (cgroup) or `ulimit -d` allows less.
std::size_t usable_memory();
// For what is made of so many bytes: a disk where they are more than an eighth of that memory, of which others want some as well.
Place place_for(std::size_t bytes, std::size_t memory);

// So many bytes, aligned. Where there is no memory, the new handler is called, and std::bad_alloc thrown, as by `new`.
void* allocate(std::size_t bytes, Place place);
void release(void* memory, std::size_t bytes, Place place);

// For containers.
template <class T>
struct Allocator {
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  Place place = Place::memory;

  Allocator() = default;
  explicit Allocator(Place place) : place(place) {}
  template <class U>
  Allocator(const Allocator<U>& other) : place(other.place) {}

  T* allocate(std::size_t count) { return static_cast<T*>(runtime::allocate(count * sizeof(T), place)); }
  void deallocate(T* memory, std::size_t count) { release(memory, count * sizeof(T), place); }
  bool operator==(const Allocator&) const = default;
};

}  // namespace bpc::runtime
