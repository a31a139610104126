// LocalServer: answers every request to 127.0.0.1 with bytes of the test's choosing.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace splot::test {

/// One connection: bytes to send, and how long to keep it open after them (milliseconds).
struct Answer {
  std::string bytes;
  int hold = 0;
};

class LocalServer {
 public:
  /// answer(path) is called from the server's thread, once for each connection: it must not share what
  /// changes with the thread of the test.
  explicit LocalServer(std::function<Answer(const std::string& path)> answer);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  /// "http://127.0.0.1:40123" + path
  std::string url(const std::string& path) const;
  /// The paths asked for so far.
  std::vector<std::string> asked() const;

 private:
  void serve();

  std::function<Answer(const std::string&)> answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  mutable std::mutex asked_mutex_;
  std::vector<std::string> asked_;
  std::thread thread_;
};

/// A whole answer: status line, length, body.
std::string http_answer(const std::string& body, const std::string& status = "200 OK",
                        const std::string& more_headers = "");

}  // namespace splot::test
