// Every way to write a file, with each of its system calls failing in each way: the old file stays as it
// was, the error says why, nothing is left behind, and what may be tried again is.
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "splot/core/file.h"
#include "splot/io/checkpoint.h"

#include "tests/faults/shim.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Writer {
  const char* name;
  std::function<void(const std::string& path)> write;
};

TensorMap some_tensors() {
  TensorMap out;
  for (int i = 0; i < 6; ++i)
    out.emplace("w" + std::to_string(i), Tensor::from(std::vector<float>(300, 0.5f), {300}));
  return out;
}

const std::vector<Writer> kWriters = {
    {"text", [](const std::string& path) { write_file(path, std::string(5000, 'n')); }},
    {"pieces",
     [](const std::string& path) {
       OutputFile out(path);
       for (int i = 0; i < 25; ++i) out.write(std::to_string(i) + "\n");
       out.commit();
     }},
    {"safetensors",
     [](const std::string& path) {
       save_safetensors(path, some_tensors(), {{"a", "b"}});
     }},
    {"checkpoint",
     [](const std::string& path) {
       save_checkpoint(path, some_tensors(), {{"a", "b"}});
     }},
};

struct Failing {
  const char* call;
  const char* failure;
  const char* text;  // of the error
};

const std::vector<Failing> kErrors = {
    {"create", "ENOSPC", "cannot be created: No space left on device"},
    {"create", "EIO", "cannot be created: Input/output error"},
    {"create", "EACCES", "cannot be created: Permission denied"},
    {"write", "ENOSPC", "cannot be written: No space left on device"},
    {"write", "EIO", "cannot be written: Input/output error"},
    {"write", "EDQUOT", "cannot be written: Disk quota exceeded"},
    {"sync", "ENOSPC", "cannot be written: No space left on device"},
    {"sync", "EIO", "cannot be written: Input/output error"},
    {"close", "EIO", "cannot be written: Input/output error"},
    {"rename", "EIO", "cannot be replaced: Input/output error"},
    {"rename", "ENOSPC", "cannot be replaced: No space left on device"},
};

class Faults : public ::testing::Test {
 protected:
  void TearDown() override { test::clear_fault(); }

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }
  Bytes content() const { return read_file(path_, 1 << 20); }
  test::Fault fault(const Failing& failing, int first, int period) const {
    return {.folder = folder_.path(),
            .call = failing.call,
            .failure = failing.failure,
            .first = first,
            .period = period};
  }

  test::TempFolder folder_;
  std::string path_ = folder_.file("kept");
};

TEST_F(Faults, EveryCallThatFailsLeavesTheOldFile) {
  for (const Writer& writer : kWriters) {
    for (const Failing& failing : kErrors) {
      // Once, and from then on: a full disk stays full.
      for (const int period : {0, 1}) {
        int first = 1;
        for (bool reached = true; reached; ++first) {
          SCOPED_TRACE(::testing::Message() << writer.name << ": " << failing.call << " number " << first
                                            << " " << failing.failure << ", period " << period);
          write_file(path_, "old");
          test::set_fault(fault(failing, first, period));
          std::string message;
          try {
            writer.write(path_);
          } catch (const IoError& error) {
            message = error.what();
          }
          reached = test::clear_fault() > 0;
          EXPECT_EQ(message, reached ? "[write] \"" + path_ + "\" " + failing.text : "");
          EXPECT_EQ(content() == Bytes({'o', 'l', 'd'}), reached);
          ASSERT_EQ(files(), 1u) << "what was begun is removed";
        }
        EXPECT_GT(first, 2) << writer.name << " never called " << failing.call;
      }
    }
  }
}

TEST_F(Faults, InterruptionsAndShortWritesAreNoFailures) {
  for (const Writer& writer : kWriters) {
    writer.write(path_);
    const Bytes expected = content();
    for (const Failing& failing :
         {Failing{"write", "EINTR", ""}, Failing{"write", "short", ""}, Failing{"create", "EINTR", ""},
          Failing{"sync", "EINTR", ""}, Failing{"sync_folder", "EINTR", ""}, Failing{"close", "EINTR", ""}}) {
      for (const int period : {0, 2, 3}) {
        int first = 1;
        for (bool reached = true; reached; ++first) {
          SCOPED_TRACE(::testing::Message() << writer.name << ": " << failing.call << " number " << first
                                            << " " << failing.failure << ", period " << period);
          write_file(path_, "old");
          test::set_fault(fault(failing, first, period));
          EXPECT_NO_THROW(writer.write(path_));
          reached = test::clear_fault() > 0;
          EXPECT_EQ(content(), expected);
          ASSERT_EQ(files(), 1u);
        }
        EXPECT_GT(first, 2) << writer.name << " never called " << failing.call;
      }
    }
  }
}

TEST_F(Faults, EveryWriteMayBeShort) {
  write_file(path_, std::string(3000, 'x'));
  const Bytes expected = content();
  test::set_fault(fault({"write", "short", ""}, 1, 1));
  write_file(path_, std::string(3000, 'x'));
  EXPECT_GE(test::clear_fault(), 10);
  EXPECT_EQ(content(), expected);
}

// The new file has its name already, and is whole; only that it stays there is not certain.
TEST_F(Faults, AFolderThatCannotBeSyncedIsTold) {
  for (const Writer& writer : kWriters) {
    writer.write(path_);
    const Bytes expected = content();
    write_file(path_, "old");
    test::set_fault(fault({"sync_folder", "EIO", ""}, 1, 0));
    std::string message;
    try {
      writer.write(path_);
    } catch (const IoError& error) {
      message = error.what();
    }
    EXPECT_EQ(test::clear_fault(), 1);
    EXPECT_EQ(message, "[write] \"" + path_ +
                           "\" is written, but its folder cannot be put on the disk: Input/output error");
    EXPECT_EQ(content(), expected);
    EXPECT_EQ(files(), 1u);
  }
}

TEST_F(Faults, ReadingIsTriedAgainOrFails) {
  save_checkpoint(path_, some_tensors());
  for (const Failing& failing :
       {Failing{"read", "EINTR", ""}, Failing{"read", "short", ""}, Failing{"open_read", "EINTR", ""}}) {
    for (int first = 1, reached = 1; reached > 0; ++first) {
      test::set_fault(fault(failing, first, 2));
      EXPECT_EQ(load_checkpoint(path_).tensors.size(), 6u);
      reached = test::clear_fault();
      EXPECT_TRUE(reached > 0 || first > 1) << failing.call;
    }
  }
  for (int first = 1, reached = 1; reached > 0; ++first) {
    test::set_fault(fault({"read", "EIO", ""}, first, 0));
    std::string message;
    try {
      load_checkpoint(path_);
    } catch (const IoError& error) {
      message = error.what();
    }
    reached = test::clear_fault();
    EXPECT_EQ(message, reached > 0 ? "[read] \"" + path_ + "\" cannot be read: Input/output error" : "");
  }
}

// Runs `body` in a child process that has a small file system of its own at `folder`. The child's exit status
// is what `body` returns; kNoMount when the system does not allow it.
constexpr int kNoMount = 99;

template <typename Body>
int on_small_disk(const std::string& folder, const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    const bool own =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    if (!own || ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") != 0) _exit(kNoMount);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What `write` says, or nothing.
std::string error_of(const std::function<void()>& write) {
  try {
    write();
  } catch (const IoError& error) {
    return error.what();
  }
  return {};
}

TEST_F(Faults, ADiskThatIsReallyFull) {
  const int status = on_small_disk(folder_.path(), [&] {
    save_checkpoint(path_, some_tensors());
    const Bytes before = content();
    const std::string message = error_of([&] { write_file(path_, std::string(100 << 10, 'x')); });
    if (message != "[write] \"" + path_ + "\" cannot be written: No space left on device") return 1;
    return content() == before && files() == 1 ? 0 : 2;
  });
  if (status == kNoMount) GTEST_SKIP() << "mounting a small tmpfs needs to be root";
  EXPECT_EQ(status, 0);
}

TEST_F(Faults, AFileSystemThatBecameReadOnly) {
  const int status = on_small_disk(folder_.path(), [&] {
    save_checkpoint(path_, some_tensors());
    const Bytes before = content();
    if (::mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0)
      return kNoMount;
    const std::string message = error_of([&] { write_file(path_, "new"); });
    if (message != "[write] \"" + path_ + "\" cannot be created: Read-only file system") return 1;
    return content() == before && files() == 1 ? 0 : 2;
  });
  if (status == kNoMount) GTEST_SKIP() << "mounting a small tmpfs needs to be root";
  EXPECT_EQ(status, 0);
}

TEST_F(Faults, AFolderThatMayNotBeWritten) {
  write_file(path_, "old");
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(3);  // root may write anywhere
    const std::string message = error_of([&] { write_file(path_, "new"); });
    _exit(message == "[write] \"" + path_ + "\" cannot be created: Permission denied" ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(content(), Bytes({'o', 'l', 'd'}));
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace splot
