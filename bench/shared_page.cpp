#include "bench/shared_page.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace ordo::bench {

PageMapping::PageMapping() : descriptor_(memfd_create("ordo-bench", 0)) {
  ORDO_CHECK(descriptor_ >= 0 && ftruncate(descriptor_, sizeof(SharedPage)) == 0);
  void* at = mmap(nullptr, sizeof(SharedPage), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  ORDO_CHECK(at != MAP_FAILED);
  page_ = new (at) SharedPage();
}

PageMapping::PageMapping(int descriptor) : descriptor_(descriptor) {
  void* at = mmap(nullptr, sizeof(SharedPage), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  ORDO_CHECK(at != MAP_FAILED);
  page_ = static_cast<SharedPage*>(at);
}

PageMapping::~PageMapping() {
  munmap(page_, sizeof(SharedPage));
  close(descriptor_);
}

std::int64_t steady_micros() { return steady_now().time_since_epoch().count(); }

}  // namespace ordo::bench
