#include "splot/data/internal/picture_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "splot/core/error.h"
#include "splot/core/file.h"

namespace splot::data_detail {
namespace {

constexpr std::uint64_t kLargestPictureFile = std::uint64_t{128} << 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_picture_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string ending(name.substr(dot));
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

bool is_hidden(std::string_view name) { return name.starts_with('.') || name.find("/.") != name.npos; }

std::vector<std::string> names_in_folder(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  std::error_code error;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().lexically_relative(path).generic_string();
    std::error_code ignored;  // a link that leads nowhere is no file
    if (is_hidden(name)) {
      at.disable_recursion_pending();
    } else if (is_picture_name(name) && at->is_regular_file(ignored)) {
      out.push_back(name);
    }
  }
  require<IoError>(!error, "images", '"', path, "\" cannot be read: ", error.message());
  return out;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      // A folder ends before any name goes on: all of "a" comes before "a-b".
      const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
      if (a[i] != b[j]) return rank(a[i]) < rank(b[j]);
      ++i, ++j;
      continue;
    }
    const auto number = [](std::string_view text, std::size_t& at) {
      while (at < text.size() && text[at] == '0') ++at;
      const std::size_t first = at;
      while (at < text.size() && is_digit(text[at])) ++at;
      return text.substr(first, at - first);
    };
    const std::string_view x = number(a, i), y = number(b, j);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
  }
  if (i < a.size() || j < b.size()) return i == a.size();
  return a < b;
}

PictureFiles::PictureFiles(const std::string& path, std::uint64_t unpacked_limit) : path_(path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    names_ = names_in_folder(path);
  } else {
    archive_ = std::make_unique<TarArchive>(
        path, TarOptions{.unpacked_limit = unpacked_limit, .file_limit = kLargestPictureFile});
    for (const TarEntry& entry : archive_->entries()) {
      if (!is_hidden(entry.name) && is_picture_name(entry.name)) names_.push_back(entry.name);
    }
  }
  std::sort(names_.begin(), names_.end(), natural_less);
}

std::string PictureFiles::title(const std::string& name) const { return path_ + '/' + name; }

std::vector<std::uint8_t> PictureFiles::read(const std::string& name) const {
  if (!archive_) return read_file(title(name), kLargestPictureFile);
  return archive_->read(*archive_->find(name));
}

}  // namespace splot::data_detail
