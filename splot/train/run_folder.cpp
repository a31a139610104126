#include "splot/train/run_folder.h"

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/file.h"

namespace splot {

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  require<IoError>(!error && std::filesystem::is_directory(path_, error), "run", "cannot make the folder ",
                   path_, error ? join(": ", error.message()) : "");
}

std::string RunFolder::file(std::string_view name) const {
  return (std::filesystem::path(path_) / name).string();
}

void RunFolder::write(std::string_view name, std::string_view text) const { write_file(file(name), text); }

void RunFolder::lock() {
  auto lock = std::make_unique<FileLock>(file("train.lock"));
  require<IoError>(lock->held(), "run", path_, " is being trained by ", lock->holder(),
                   ": wait until that has ended, or stop it, which keeps what it has learned (Ctrl-C), or "
                   "train in another folder");
  lock_ = std::move(lock);
}

void RunFolder::remove_leftovers() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    // OutputFile's name for what is not complete yet.
    if (entry.path().filename().string().find(".new-") == std::string::npos) continue;
    std::filesystem::remove(entry.path(), error);
    require<IoError>(!error, "run", "cannot remove ", entry.path().string(), ": ", error.message());
  }
  require<IoError>(!error, "run", "cannot list ", path_, ": ", error.message());
}

void RunFolder::add(const EpochRecord& record) {
  nlohmann::ordered_json line = {{"epoch", record.epoch}};
  std::string head = "epoch";
  std::string row = std::to_string(record.epoch);
  const auto column = [&](const std::string& name, double value) {
    line[name] = value;
    head += ',' + name;
    row += fmt::format(",{}", value);
  };
  for (const Metric& m : record.metrics) column(m.name, m.value);
  column("lr", record.lr);
  column("seconds", record.seconds);
  for (const ParameterNorms& n : record.norms) {
    line["norms"][n.name] = {{"weight", n.weight}, {"gradient", n.gradient}, {"update", n.update}};
  }
  if (csv_.empty()) csv_ = head + '\n';
  csv_ += row + '\n';
  jsonl_ += line.dump() + '\n';
  pending_ = true;
  // Not after every epoch: those of a small network take less time than the disk does.
  if (std::chrono::steady_clock::now() - written_ >= std::chrono::seconds(1)) write_metrics();
}

void RunFolder::finish() {
  if (pending_) write_metrics();
}

void RunFolder::write_metrics() {
  write("metrics.jsonl", jsonl_);
  write("metrics.csv", csv_);
  written_ = std::chrono::steady_clock::now();
  pending_ = false;
}

std::string new_run_folder(const std::string& name) {
  std::error_code ignored;
  for (int number = 1;; ++number) {
    std::string path = fmt::format("runs/{}-{}", name, number);
    if (!std::filesystem::exists(path, ignored)) return path;
  }
}

}  // namespace splot
