// A network exported to a disk that fails: the error names the file, an earlier export stays as it was, and
// nothing is left behind.
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "splot/core/file.h"
#include "splot/nn/linear.h"
#include "splot/nn/sequential.h"
#include "splot/train/export_c.h"

#include "tests/faults/shim.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

namespace fs = std::filesystem;

class FaultsInExport : public ::testing::Test {
 protected:
  FaultsInExport() {
    auto net = std::make_shared<Sequential>();
    net->add("fc", Linear(3, 2));
    file_.model = net;
    file_.info.sample = {3};
    program_ = export_c(file_, {.examples = 2});
  }
  void TearDown() override { test::clear_fault(); }

  // The message; empty: it was written.
  std::string write(const std::string& to) {
    try {
      write_c_folder(to, program_);
    } catch (const IoError& error) {
      return error.what();
    }
    return {};
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), {}));
  }

  test::TempFolder folder_;
  ModelFile file_;
  CProgram program_;
};

TEST_F(FaultsInExport, EveryCallThatFailsLeavesNothingNew) {
  const std::string to = folder_.file("above/c");
  for (const char* call : {"create", "write", "sync", "close", "rename"}) {
    for (const bool earlier : {false, true}) {
      int first = 1;
      for (bool reached = true; reached; ++first) {
        SCOPED_TRACE(::testing::Message() << call << " number " << first << ", earlier export: " << earlier);
        fs::remove_all(folder_.file("above"));
        if (earlier) {
          ASSERT_EQ(write(to), "");
          write_file(to + "/model.o", "built");
        }
        test::set_fault(
            {.folder = folder_.path(), .call = call, .failure = "ENOSPC", .first = first, .period = 0});
        const std::string message = write(to);
        reached = test::clear_fault() > 0;
        EXPECT_EQ(message.empty(), !reached) << message;
        EXPECT_EQ(message.find(".new-"), std::string::npos) << message;
        if (reached) {
          EXPECT_EQ(message.find("[write] "), 0u);
          EXPECT_NE(message.find(to), std::string::npos) << message;
          EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
        }
        EXPECT_EQ(fs::exists(to + "/model.o"), earlier && reached);
        EXPECT_EQ(fs::exists(to + "/model.h"), earlier || !reached);
        EXPECT_EQ(entries(), earlier || !reached ? 1u : 0u);
        if (entries() == 1) {
          EXPECT_EQ(std::distance(fs::directory_iterator(folder_.file("above")), {}), 1);
        }
        ASSERT_FALSE(HasFailure());
      }
      EXPECT_GT(first, 2) << call << " was never reached";
    }
  }
}

TEST_F(FaultsInExport, AFolderThatMayNotBeMade) {
  write_file(folder_.file("file"), "no folder");
  const std::string message = write(folder_.file("file") + "/c");
  EXPECT_EQ(message, "[write] the folder \"" + folder_.file("file") + "/c\" cannot be made: Not a directory");
  EXPECT_EQ(entries(), 1u);
}

}  // namespace
}  // namespace splot
