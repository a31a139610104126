#include "splot/backend/cpu/fetch_ahead.h"

#include <algorithm>

namespace splot::cpu {

constinit thread_local FetchAhead* FetchAhead::current __attribute__((tls_model("initial-exec"))) = nullptr;

FetchAhead::FetchAhead(const void* now, const void* next, std::size_t bytes)
    : now_(static_cast<const char*>(now)),
      bytes_(bytes),
      next_(static_cast<const char*>(next)),
      at_(next_),
      end_(next_ + bytes) {
  current = this;
}

FetchAhead::~FetchAhead() {
  if (current == this) current = nullptr;
}

const void* FetchAhead::place_of_bytes(const void* here, std::size_t bytes) {
  if (current == nullptr) return nullptr;
  const auto offset = static_cast<std::size_t>(static_cast<const char*>(here) - current->now_);
  if (offset >= current->bytes_) return nullptr;
  const char* place = current->next_ + offset;
  if (place <= current->at_) {
    current->at_ = std::max(current->at_, place + std::min(bytes, current->bytes_ - offset));
  }
  return place;
}

}  // namespace splot::cpu
