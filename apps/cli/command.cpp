#include "apps/cli/command.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "splot/core/error.h"

namespace splot::cli {
namespace {

std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "the signal handler writes it");

constexpr int kSignals[] = {SIGINT, SIGTERM};

void handle_with(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

// The first signal asks; after it there is no handler, so that a second one ends the program at once.
extern "C" void ask_to_stop(int number) {
  stop_signal.store(number, std::memory_order_relaxed);
  handle_with(SIG_DFL);
}

void write_all(std::FILE* to, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size() || std::fflush(to) != 0) {
    throw IoError(say(Message::cannot_print));
  }
}

}  // namespace

std::string list_of(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : separator).append(word);
  return out;
}

std::string bytes_text(std::size_t bytes) {
  const auto count = static_cast<double>(bytes);
  if (bytes < 1000) return fmt::format("{} B", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", count / 1e3);
  return fmt::format("{:.1f} MB", count / 1e6);
}

void print(std::string_view text) { write_all(stdout, text); }
void print_progress(std::string_view text) { write_all(stderr, text); }

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

bool use_color() {
  const char* no_color = std::getenv("NO_COLOR");
  return is_terminal(STDOUT_FILENO) && (no_color == nullptr || *no_color == '\0');
}

bool interrupted() {
  static const bool installed = (handle_with(ask_to_stop), true);
  return installed && stop_signal.load(std::memory_order_relaxed) != 0;
}

int interrupted_status() { return 128 + stop_signal.load(std::memory_order_relaxed); }

}  // namespace splot::cli
