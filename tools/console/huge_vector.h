// SPDX-License-Identifier: GPL-2.0-only
// A vector in huge pages, for tables that are read here and there: with pages
// of 4 KiB each look-up would also wait for where its page is.
#ifndef IPTRK_TOOLS_CONSOLE_HUGE_VECTOR_H_
#define IPTRK_TOOLS_CONSOLE_HUGE_VECTOR_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace iptrk::console {

template <typename T>
struct HugeAllocator {
  using value_type = T;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  HugeAllocator() = default;
  template <typename U>
  explicit HugeAllocator(const HugeAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes =
        (count * sizeof(T) + kHugePage - 1) / kHugePage * kHugePage;
    void* const memory = std::aligned_alloc(kHugePage, bytes);
    if (!memory) throw std::bad_alloc();
    // A kernel without them gives small ones.
    madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { std::free(memory); }

  bool operator==(const HugeAllocator&) const { return true; }
};

template <typename T>
using HugeVector = std::vector<T, HugeAllocator<T>>;

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_HUGE_VECTOR_H_
