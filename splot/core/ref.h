// Ref<T>: a counted reference to an object that carries its own count.
#pragma once

#include <atomic>
#include <utility>

namespace splot {

/// Threads: counting is safe from several at once.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  /// True when this was the last reference: the caller then destroys the object.
  bool release() const {
    // The only owner needs no atomic read-modify-write: nobody else can reach the object.
    return refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

 private:
  mutable std::atomic<int> refs_{0};
};

/// T derives from RefCounted and offers `static void destroy(T*)`.
///
/// Threads: as a std::shared_ptr: the count is safe, one Ref is a value.
template <typename T>
class Ref {
 public:
  constexpr Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) object_->retain();
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  /// A Ref that does not count; it must never be destroyed (see BorrowedTensor).
  static Ref uncounted(T* object) {
    Ref out;
    out.object_ = object;
    return out;
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(const Ref& other) {
    Ref(other).swap(*this);
    return *this;
  }
  Ref& operator=(Ref&& other) noexcept {
    Ref(std::move(other)).swap(*this);
    return *this;
  }
  ~Ref() { reset(); }

  void reset() {
    T* object = std::exchange(object_, nullptr);
    if (object != nullptr && object->release()) T::destroy(object);
  }
  void swap(Ref& other) noexcept { std::swap(object_, other.object_); }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }

 private:
  T* object_ = nullptr;
};

}  // namespace splot
