// Where a reader of tensor files gets its bytes from: a file, or memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "splot/core/error.h"
#include "splot/core/file.h"

namespace splot::io {

class Source {
 public:
  virtual ~Source() = default;
  /// For messages: the path, or what the caller calls the bytes.
  virtual const std::string& name() const = 0;
  virtual std::uint64_t size() const = 0;
  /// The next n bytes. Readers compare with size() first; IoError when there are fewer all the same.
  virtual void read(void* out, std::size_t n) = 0;
};

class FileSource final : public Source {
 public:
  explicit FileSource(const std::string& path) : file_(path) {}
  const std::string& name() const override { return file_.path(); }
  std::uint64_t size() const override { return file_.size(); }
  void read(void* out, std::size_t n) override { file_.read_exactly(out, n); }

 private:
  InputFile file_;
};

class MemorySource final : public Source {
 public:
  MemorySource(std::span<const std::uint8_t> bytes, std::string name)
      : rest_(bytes), size_(bytes.size()), name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(void* out, std::size_t n) override {
    require<IoError>(n <= rest_.size(), "read", '"', name_, "\" ended ", n - rest_.size(), " bytes early");
    if (n > 0) std::memcpy(out, rest_.data(), n);
    rest_ = rest_.subspan(n);
  }

 private:
  std::span<const std::uint8_t> rest_;
  std::uint64_t size_;
  std::string name_;
};

}  // namespace splot::io
