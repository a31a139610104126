#include "tests/support/local_server.h"

#include <array>
#include <chrono>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace splot::test {

LocalServer::LocalServer(std::function<Answer(const std::string& path)> answer) : answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LocalServer::~LocalServer() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

std::string LocalServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<std::string> LocalServer::asked() const {
  const std::lock_guard lock(asked_mutex_);
  return asked_;
}

void LocalServer::serve() {
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    std::string request;
    std::array<char, 4096> buffer{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = ::recv(client, buffer.data(), buffer.size(), 0);
      if (n <= 0) break;
      request.append(buffer.data(), static_cast<std::size_t>(n));
    }
    const std::size_t from = request.find(' ') + 1;
    const std::string path = request.substr(from, request.find(' ', from) - from);
    {
      const std::lock_guard lock(asked_mutex_);
      asked_.push_back(path);
    }
    const Answer answer = answer_(path);
    std::size_t sent = 0;
    while (sent < answer.bytes.size()) {
      const ssize_t n = ::send(client, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;  // the other side has had enough
      sent += static_cast<std::size_t>(n);
    }
    for (int waited = 0; waited < answer.hold && !stop_; waited += 10) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ::close(client);
  }
}

std::string http_answer(const std::string& body, const std::string& status, const std::string& more_headers) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + more_headers + "\r\n" + body;
}

}  // namespace splot::test
