#include "runtime/storage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>

namespace bpc::runtime {

namespace {

constexpr std::align_val_t kAlignment{kStorageAlignment};
constexpr std::size_t kShare = 8;

// Of so many bytes that are there: a full disk is found out now, not when a page is written.
int nameless_file(std::size_t bytes) {
  const char* folder = std::getenv("TMPDIR");
  const int file = open(folder && *folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 && posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0) return file;
  if (file >= 0) close(file);
  return -1;
}

void* mapped(std::size_t bytes) {
  const int file = nameless_file(bytes);
  const int flags = file >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
  if (file >= 0) close(file);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

std::size_t usable_memory() {
  auto least = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGE_SIZE));
  std::size_t group = 0;
  if (std::ifstream limit("/sys/fs/cgroup/memory.max"); limit >> group) least = std::min(least, group);  // or it says `max`
  rlimit data = {};
  if (getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur != RLIM_INFINITY) least = std::min<std::size_t>(least, data.rlim_cur);
  return least;
}

Place place_for(std::size_t bytes, std::size_t memory) {
  return bytes > memory / kShare ? Place::disk : Place::memory;
}

void* allocate(std::size_t bytes, Place place) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (place == Place::memory) return ::operator new(bytes, kAlignment);
  while (true) {
    if (void* memory = mapped(bytes)) return memory;
    if (std::new_handler handler = std::get_new_handler())
      handler();
    else
      throw std::bad_alloc();
  }
}

void release(void* memory, std::size_t bytes, Place place) {
  if (place == Place::memory)
    ::operator delete(memory, kAlignment);
  else
    munmap(memory, std::max<std::size_t>(bytes, 1));
}

}  // namespace bpc::runtime
