#include "splot/core/file.h"

#include <csignal>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using test::TempFolder;

std::string text_of(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, 1 << 20);
  return std::string(bytes.begin(), bytes.end());
}

std::size_t files_in(const TempFolder& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

// What a child process says: 0 when `check` is true.
template <typename Check>
int in_child(Check check) {
  const pid_t child = fork();
  if (child == 0) _exit(check() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(File, ComesBackAsWritten) {
  const TempFolder folder;
  const std::string path = folder.file("a");
  write_file(path, "one");
  EXPECT_EQ(text_of(path), "one");
  const std::vector<std::uint8_t> bytes = {0, 255, 10, 13, 0};
  write_file(path, bytes);
  EXPECT_EQ(read_file(path, 5), bytes);
  write_file(path, "");
  EXPECT_TRUE(read_file(path, 0).empty());
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(File, SaysWhatCannotBeRead) {
  const TempFolder folder;
  const std::string missing = folder.file("missing");
  EXPECT_ERROR(IoError, read_file(missing, 10),
               "[read] \"" + missing + "\" cannot be opened: No such file or directory");
  EXPECT_ERROR(IoError, read_file(folder.path(), 10), "[read] \"" + folder.path() + "\" is a directory");
  EXPECT_ERROR(IoError, read_file("/dev/null", 10), "[read] \"/dev/null\" is not a regular file");
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_ERROR(IoError, read_file(pipe, 10), "[read] \"" + pipe + "\" is not a regular file");
  const std::string large = folder.file("large");
  write_file(large, "eleven char");
  EXPECT_ERROR(IoError, read_file(large, 10), "[read] \"" + large + "\" has 11 bytes; the limit is 10");
  InputFile file(large);
  char rest[20];
  EXPECT_ERROR(IoError, file.read_exactly(rest, 20),
               "[read] \"" + large + "\" ended 9 bytes early; was it changed while it was read?");
}

TEST(File, SaysThatItMayNotBeRead) {
  const TempFolder folder;
  const std::string path = folder.file("secret");
  write_file(path, "x");
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(in_child([&] {
              if (geteuid() == 0 && setuid(65534) != 0) return false;  // root may read everything
              try {
                read_file(path, 10);
              } catch (const IoError& error) {
                return error.what() == "[read] \"" + path + "\" cannot be opened: Permission denied";
              }
              return false;
            }),
            0);
}

TEST(File, WritesNothingUntilItIsCommitted) {
  const TempFolder folder;
  const std::string path = folder.file("a");
  write_file(path, "old");
  {
    OutputFile out(path);
    out.write("new");
    EXPECT_EQ(text_of(path), "old");
  }
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(files_in(folder), 1u) << "the file that was being written is removed";
  OutputFile out(path);
  out.write("new");
  out.commit();
  EXPECT_EQ(text_of(path), "new");
  EXPECT_ERROR(IoError, out.write("more"), "[write] \"" + path + "\" is already closed");
  EXPECT_ERROR(IoError, out.commit(), "[write] \"" + path + "\" is already closed");
}

TEST(File, ADiskThatIsFullLeavesTheOldFile) {
  const TempFolder folder;
  const std::string path = folder.file("a");
  write_file(path, "old");
  EXPECT_EQ(in_child([&] {
              const rlimit limit = {1000, 1000};  // as good as a full disk: write() is refused
              setrlimit(RLIMIT_FSIZE, &limit);
              std::signal(SIGXFSZ, SIG_IGN);
              try {
                write_file(path, std::string(5000, 'x'));
              } catch (const IoError& error) {
                return error.what() == "[write] \"" + path + "\" cannot be written: File too large";
              }
              return false;
            }),
            0);
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(File, KeepsPermissionsAndSymbolicLinks) {
  const TempFolder folder;
  const std::string path = folder.file("a");
  const std::string link = folder.file("link");
  write_file(path, "old");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  ASSERT_EQ(symlink("a", link.c_str()), 0);
  write_file(link, "new");
  EXPECT_EQ(text_of(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(File, SaysWhatCannotBeWritten) {
  const TempFolder folder;
  const std::string nowhere = folder.file("no/where");
  EXPECT_ERROR(IoError, write_file(nowhere, "x"),
               "[write] \"" + nowhere + "\" cannot be created: No such file or directory");
  EXPECT_ERROR(IoError, write_file(folder.path(), "x"), "[write] \"" + folder.path() + "\" is a directory");
  EXPECT_ERROR(IoError, write_file("/dev/null", "x"), "[write] \"/dev/null\" is not a regular file");
}

}  // namespace
}  // namespace splot
