// Downloads from a server of the test's own; nothing here needs a network.
#include "splot/data/download.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "splot/core/file.h"
#include "splot/core/sha256.h"

#include "tests/support/expect_error.h"
#include "tests/support/local_server.h"
#include "tests/support/mutate.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using test::Answer;
using test::http_answer;
using test::LocalServer;
using test::TempFolder;

const DownloadOptions kLocal = {.stall_timeout = std::chrono::seconds(1), .allow_loopback_http = true};

std::string some_bytes(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += static_cast<char>(i * i * 31 + i);
  return out;
}

PinnedFile pin(const std::string& bytes) {
  Sha256 hash;
  hash.add(bytes);
  return {"file", bytes.size(), hash.hex()};
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::size_t files_in(const std::string& folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class Download : public testing::Test {
 protected:
  void SetUp() override {
    if (!download_available()) GTEST_SKIP() << "built with SPLOT_DOWNLOAD=OFF";
    write_file(target_, "old");
  }
  // Whatever happened, the old file is still there, and nothing beside it.
  void TearDown() override {
    if (!download_available() || replaced_) return;
    EXPECT_EQ(content(target_), "old");
    EXPECT_EQ(files_in(folder_.path()), 1u);
  }

  TempFolder folder_;
  std::string target_ = folder_.file("file");
  std::string body_ = some_bytes(200'000);
  bool replaced_ = false;
};

TEST_F(Download, BringsTheFileAndTellsHowFarItIs) {
  const LocalServer server([&](const std::string& path) {
    EXPECT_EQ(path, "/a/file");
    return Answer{http_answer(body_)};
  });
  DownloadOptions options = kLocal;
  std::uint64_t last = 0;
  options.progress = [&](const PinnedFile& file, std::uint64_t received) {
    EXPECT_EQ(file.size, body_.size());
    EXPECT_GT(received, last);
    last = received;
    return true;
  };
  download(server.url("/a/file"), target_, pin(body_), options);
  EXPECT_EQ(content(target_), body_);
  EXPECT_EQ(last, body_.size());
  EXPECT_TRUE(is_pinned_file(target_, pin(body_)));
  EXPECT_FALSE(is_pinned_file(target_, pin(some_bytes(199'999))));
  replaced_ = true;
}

TEST_F(Download, RefusesAnotherSize) {
  const LocalServer server([&](const std::string&) { return Answer{http_answer(body_)}; });
  PinnedFile small = pin(body_);
  small.size = 150'000;
  EXPECT_ERROR(FormatError, download(server.url("/x"), target_, small, kLocal),
               join("[download] ", server.url("/x"), " is longer than the 150000 bytes it should have"));
  PinnedFile large = pin(body_);
  large.size = 200'001;
  EXPECT_ERROR(FormatError, download(server.url("/x"), target_, large, kLocal),
               join("[download] ", server.url("/x"), " has 200000 bytes, it should have 200001"));
}

TEST_F(Download, RefusesAnotherHash) {
  std::string other = body_;
  other[123'456] = static_cast<char>(other[123'456] ^ 1);
  const LocalServer server([&](const std::string&) { return Answer{http_answer(other)}; });
  EXPECT_ERROR(FormatError, download(server.url("/x"), target_, pin(body_), kLocal),
               join("[download] ", server.url("/x"), " has the SHA-256 ", pin(other).sha256,
                    ", it should have ", pin(body_).sha256));
}

TEST_F(Download, NoticesACutConnection) {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{20}, std::size_t{100}, std::size_t{150'000}}) {
    const LocalServer server([&](const std::string&) { return Answer{http_answer(body_).substr(0, kept)}; });
    EXPECT_THROW(download(server.url("/x"), target_, pin(body_), kLocal), Error) << kept;
  }
}

TEST_F(Download, FollowsNoRedirectionToHttp) {
  std::string elsewhere;
  const LocalServer server([&](const std::string& path) {
    EXPECT_EQ(path, "/from") << "nobody asks for the other address";
    return Answer{http_answer("", "302 Found", "Location: " + elsewhere + "\r\n")};
  });
  for (const std::string& to :
       {server.url("/to"), std::string("ftp://127.0.0.1/to"), std::string("file:///etc/hostname")}) {
    elsewhere = to;
    EXPECT_ERROR(IoError, download(server.url("/from"), target_, pin(body_), kLocal),
                 join("[download] ", server.url("/from"),
                      " sends on to an address that is not https; that is refused"));
  }
}

TEST_F(Download, AsksNoAddressThatIsNotHttps) {
  for (const std::string url : {"http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "x",
                                "HTTP://127.0.0.1:1/x", "http://127.0.0.1.example.org/x"}) {
    EXPECT_ERROR(ValueError, download(url, target_, pin(body_), kLocal),
                 join("[download] ", url, " is not an https address; only those are used"));
  }
  EXPECT_THROW(download("http://127.0.0.1:1/x", target_, pin(body_)), ValueError);
}

TEST_F(Download, SaysWhatTheServerAnswered) {
  const LocalServer server([&](const std::string&) { return Answer{http_answer("no", "404 Not Found")}; });
  EXPECT_ERROR(IoError, download(server.url("/x"), target_, pin(body_), kLocal),
               join("[download] ", server.url("/x"), ": the server answers 404"));
}

TEST_F(Download, GivesUpAServerThatStalls) {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{100'000}}) {
    const LocalServer server([&](const std::string&) {
      return Answer{http_answer(body_).substr(0, kept), 60'000};
    });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THROW(download(server.url("/x"), target_, pin(body_), kLocal), IoError);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  }
}

TEST_F(Download, StopsWhenAsked) {
  const LocalServer server([&](const std::string&) { return Answer{http_answer(body_)}; });
  DownloadOptions options = kLocal;
  options.progress = [](const PinnedFile&, std::uint64_t) { return false; };
  EXPECT_ERROR(IoError, download(server.url("/x"), target_, pin(body_), options),
               join("[download] ", server.url("/x"), ": stopped"));
}

// A file may grow to 64 KiB only, which fails as a full disk does.
TEST_F(Download, LeavesNothingOnAFullDisk) {
  const LocalServer server([&](const std::string&) { return Answer{http_answer(body_)}; });
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 65'536;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(download(server.url("/x"), target_, pin(body_), kLocal), IoError);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
}

TEST_F(Download, FetchesWhatIsMissingFromTheFirstMirrorThatHasIt) {
  const std::string other = some_bytes(10);
  const LocalServer server([&](const std::string& path) {
    if (path == "/good/a") return Answer{http_answer(body_)};
    if (path == "/good/b") return Answer{http_answer(other)};
    return Answer{http_answer("", "503 Busy")};
  });
  PinnedFile a = pin(body_), b = pin(other);
  a.name = "a";
  b.name = "b";
  const KnownData data{"set", "a set", "none", {server.url("/bad/"), server.url("/good/")}, {a, b}};
  TempFolder home;
  EXPECT_EQ(fetch_data(data, home.path(), kLocal), 2);
  EXPECT_EQ(content(home.file("set/a")), body_);
  EXPECT_EQ(content(home.file("set/b")), other);
  EXPECT_EQ(server.asked(), (std::vector<std::string>{"/bad/a", "/good/a", "/bad/b", "/good/b"}));
  EXPECT_EQ(fetch_data(data, home.path(), kLocal), 0) << "all is there";
  std::ofstream(home.file("set/b")) << "0123456789";  // as long, but damaged
  EXPECT_EQ(fetch_data(data, home.path(), kLocal), 1);
  EXPECT_EQ(content(home.file("set/b")), other);
  const KnownData nowhere{"set2", "", "", {server.url("/bad/")}, {a}};
  EXPECT_ERROR(IoError, fetch_data(nowhere, home.path(), kLocal),
               join("[download] set2: no mirror has a:\n  [download] ", server.url("/bad/a"),
                    ": the server answers 503"));
}

// 600 damaged answers, headers and all: the right file or an error, and never anything else on the disk.
TEST_F(Download, KeepsTheRightFileOrNone) {
  const std::string body = some_bytes(700);
  const std::string whole = http_answer(body);
  const std::vector<std::uint8_t> sound(whole.begin(), whole.end());
  const LocalServer server([&](const std::string& path) {
    const std::vector<std::uint8_t> damaged = test::mutated(sound, 11, std::stoull(path.substr(1)));
    return Answer{std::string(damaged.begin(), damaged.end())};
  });
  TempFolder home;
  int kept = 0;
  for (std::uint64_t number = 0; number < 600; ++number) {
    const std::string path = home.file(std::to_string(number));
    try {
      download(server.url(join('/', number)), path, pin(body), kLocal);
      EXPECT_EQ(content(path), body) << number;
      ++kept;
    } catch (const Error&) {
      EXPECT_FALSE(std::filesystem::exists(path)) << number;
    }
  }
  EXPECT_EQ(files_in(home.path()), static_cast<std::size_t>(kept));
  EXPECT_GT(kept, 5) << "some damage does not matter";
  EXPECT_LT(kept, 500);
}

TEST(KnownData, HasFilesPinnedAsTheyAre) {
  for (const KnownData& data : known_data()) {
    EXPECT_EQ(data.files.size(), 4u);
    for (const std::string& mirror : data.mirrors) {
      EXPECT_TRUE(mirror.starts_with("https://") && mirror.ends_with('/')) << mirror;
    }
    for (const PinnedFile& file : data.files) {
      EXPECT_EQ(file.sha256.size(), 64u);
      const char* folder = std::getenv("SPLOT_DATA");
      const std::string path = join(folder == nullptr ? "" : folder, '/', data.name, '/', file.name);
      if (!std::filesystem::exists(path)) continue;
      EXPECT_TRUE(is_pinned_file(path, file)) << path;
    }
  }
}

}  // namespace
}  // namespace splot
