#include "splot/core/folder.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "splot/core/error.h"
#include "splot/core/file.h"

namespace splot {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void folder_failed(const fs::path& path, std::string_view what, const std::error_code& reason) {
  fail<IoError>("write", "the folder \"", path.string(), "\" ", what, ": ", reason.message());
}

// The folders above one, and what is written beside it; gone again unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(const fs::path& target) {
    for (fs::path above = target.parent_path(); !above.empty() && !fs::exists(above, ignored_);
         above = above.parent_path()) {
      made_.push_back(above);
    }
    std::error_code error;
    if (!made_.empty()) {
      fs::create_directories(made_.front(), error);
      if (error) give_up(target, error);
    }
    for (int i = 0;; ++i) {
      beside_ = target.string() + join(".new-", ::getpid(), '-', i);
      if (fs::create_directory(beside_, error)) return;
      if (error) give_up(target, error);
    }
  }
  ~Unfinished() { remove(); }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const fs::path& path() const { return beside_; }
  void keep() {
    beside_.clear();
    made_.clear();
  }

 private:
  [[noreturn]] void give_up(const fs::path& target, const std::error_code& error) {
    remove();
    folder_failed(target, "cannot be made", error);
  }
  void remove() {
    if (!beside_.empty()) fs::remove_all(beside_, ignored_);
    for (const fs::path& folder : made_)
      fs::remove(folder, ignored_);  // innermost first, and only when empty
  }

  fs::path beside_;
  std::vector<fs::path> made_;
  std::error_code ignored_;
};

// The message of a file beside the target, as if it were in it.
std::string told_of(std::string text, const std::string& beside, const std::string& target) {
  for (std::size_t at = text.find(beside); at != std::string::npos;
       at = text.find(beside, at + target.size()))
    text.replace(at, beside.size(), target);
  return text;
}

// Between the two renames there is neither: a crash there leaves the old one under another name.
void exchange(const fs::path& from, const fs::path& target) {
  std::error_code error, ignored;
  const fs::path old = target.string() + join(".old-", ::getpid());
  fs::rename(target, old, error);
  if (error) folder_failed(target, "cannot be replaced", error);
  fs::rename(from, target, error);
  if (error) {
    fs::rename(old, target, ignored);
    folder_failed(target, "cannot be replaced", error);
  }
  fs::remove_all(old, ignored);
}

}  // namespace

void write_folder(const std::string& path, const std::vector<TextFile>& files,
                  const std::function<void(const std::string& path)>& may_replace) {
  require<ValueError>(!path.empty(), "write", "a folder without a name");
  std::error_code error;
  fs::path target = fs::absolute(path, error).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  if (fs::is_symlink(target, error)) target = fs::canonical(target, error);
  const bool exists = fs::exists(target, error);
  require<IoError>(!exists || fs::is_directory(target, error), "write", '"', path,
                   "\" is there and is no folder");
  const bool empty = !exists || fs::is_empty(target, error);
  if (error) folder_failed(path, "cannot be looked into", error);
  if (!empty) {
    require<ValueError>(may_replace != nullptr, "write", '"', path, "\" is there and is not empty");
    may_replace(target.string());
  }
  Unfinished unfinished(target);
  try {
    for (const TextFile& file : files) write_file((unfinished.path() / file.name).string(), file.text);
  } catch (const IoError& failed) {
    throw IoError(told_of(failed.what(), unfinished.path().string(), path));
  }
  if (empty) {
    fs::rename(unfinished.path(), target, error);
    if (error) folder_failed(path, "cannot be made", error);
  } else {
    exchange(unfinished.path(), target);
  }
  unfinished.keep();
}

}  // namespace splot
