#include "splot/data/tar.h"

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/core/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/gzip_bytes.h"
#include "tests/support/mutate.h"
#include "tests/support/tar_bytes.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using test::bytes_of;
using test::tar_file;
using test::TarItem;
using Bytes = std::vector<std::uint8_t>;

class Tar : public ::testing::Test {
 protected:
  std::vector<std::string> names(const Bytes& file) {
    write_file(path_, file);
    std::vector<std::string> out;
    const TarArchive archive(path_);
    for (const TarEntry& entry : archive.entries()) out.push_back(entry.name);
    return out;
  }
  void refused(const Bytes& file, const std::string& why, int line) {
    write_file(path_, file);
    EXPECT_ERROR(FormatError, TarArchive(path_), "[tar] \"" + path_ + "\" " + why) << "line " << line;
    write_file(path_, test::gzip_bytes(file));
    EXPECT_ERROR(FormatError, TarArchive(path_), "[tar] \"" + path_ + "\" " + why) << "packed, line " << line;
  }

  test::TempFolder folder_;
  std::string path_ = folder_.file("a.tar");
};

TEST_F(Tar, ReadsFilesPackedAndPlain) {
  const Bytes large(70'000, 3);
  const Bytes file =
      tar_file({{"d/", {}, '5'}, {"d/one", bytes_of("first")}, {"./d//two", large}, {"empty"}});
  for (const Bytes& as_stored : {file, test::gzip_bytes(file)}) {
    write_file(path_, as_stored);
    const TarArchive archive(path_);
    ASSERT_EQ(archive.entries().size(), 3u);
    EXPECT_EQ(archive.entries()[0].name, "d/one");
    EXPECT_EQ(archive.entries()[0].offset, 1024u);
    EXPECT_EQ(archive.entries()[1].name, "d/two");
    EXPECT_EQ(archive.read(archive.entries()[1]), large);
    EXPECT_EQ(archive.read(archive.entries()[0]), bytes_of("first"));
    EXPECT_EQ(archive.read(*archive.find("empty")), Bytes{});
    EXPECT_EQ(archive.find("d"), nullptr);
    EXPECT_ERROR(ValueError, archive.read({"other", 0, 1}), "[tar] \"" + path_ + "\" has no file \"other\"");
  }
}

TEST_F(Tar, ReadsLongNames) {
  const std::string name(300, 'n');
  const auto pax = [](const std::string& record) {
    // The length counts its own digits.
    return bytes_of(std::to_string(record.size() + 5) + ' ' + record + '\n');
  };
  EXPECT_EQ(
      names(tar_file({{"././@LongLink", bytes_of(name + '\0'), 'L'}, {"short", bytes_of("x")}, {"next"}})),
      (std::vector<std::string>{name, "next"}));
  EXPECT_EQ(names(tar_file({{"PaxHeader", pax("path=" + name), 'x'}, {"short"}, {"next"}})),
            (std::vector<std::string>{name, "next"}));
  EXPECT_EQ(names(tar_file({{"g", bytes_of("15 comment=abcd\n"), 'g'},
                            {"x", bytes_of("10 size=5\n"), 'x'},
                            {"five", bytes_of("12345"), '0', "00000000777"}})),
            (std::vector<std::string>{"five"}));
  TarItem in_two{"name"};
  Bytes file = tar_file({in_two});
  const std::string prefix = "some/folder";
  std::copy(prefix.begin(), prefix.end(), file.begin() + 345);
  test::repair_tar(file);
  EXPECT_EQ(names(file), (std::vector<std::string>{"some/folder/name"}));
}

TEST_F(Tar, RefusesWhatIsNotWhatItSeems) {
  refused(tar_file({{"/etc/passwd"}}), "at byte 0: \"/etc/passwd\": the name is absolute", __LINE__);
  refused(tar_file({{"ok"}, {"a/../../b"}}), "at byte 512: \"a/../../b\": the name leads out of the archive",
          __LINE__);
  refused(tar_file({{"ok"}, {"link", {}, '2'}}),
          "at byte 512: \"link\": is a symbolic link; only files and folders are read", __LINE__);
  refused(tar_file({{"l", {}, '1'}}), "at byte 0: \"l\": is a hard link; only files and folders are read",
          __LINE__);
  refused(tar_file({{"l", {}, '3'}}), "at byte 0: \"l\": is a device; only files and folders are read",
          __LINE__);
  refused(tar_file({{"l", {}, '6'}}), "at byte 0: \"l\": is a pipe; only files and folders are read",
          __LINE__);
  refused(tar_file({{"l", {}, 'Z'}}),
          "at byte 0: \"l\": is of a type that is not known; only files and folders are read", __LINE__);
  refused(tar_file({{"a"}, {"./a"}}), "at byte 1024: \"a\": the name occurs twice", __LINE__);
  refused(tar_file({{"d", bytes_of("x"), '5'}}), "at byte 0: \"d\": a folder of 1 bytes", __LINE__);
  refused(tar_file({{"./", {}, '0'}, {"."}}), "at byte 512: \".\": a file without a name", __LINE__);
  refused(tar_file({{"x", bytes_of("30 GNU.sparse.major=1\n"), 'x'}}),
          "at byte 0: \"x\": damaged pax records", __LINE__);
  refused(tar_file({{"x", bytes_of("22 GNU.sparse.major=1\n"), 'x'}}), "at byte 0: \"x\": a sparse file",
          __LINE__);
  refused(tar_file({{"l", Bytes(70'000, 'n'), 'L'}, {"x"}}),
          "at byte 0: \"l\": a long name or its like of 70000 bytes", __LINE__);
  refused(tar_file({{"l", Bytes(5000, 'n'), 'L'}, {"x"}}),
          "at byte 5632: \"" + std::string(5000, 'n') + "\": the name has more than 4096 bytes", __LINE__);
}

TEST_F(Tar, RefusesSizesThatLie) {
  refused(tar_file({{"f", bytes_of("x"), '0', "00000010000"}}),
          "at byte 512: \"f\" has 4096 bytes, the archive ends before them", __LINE__);
  refused(tar_file({{"f", {}, '0', "9"}}), "at byte 0: \"f\": the size is no octal number", __LINE__);
  refused(tar_file({{"f", {}, '0', "    "}}), "at byte 0: \"f\": the size is missing", __LINE__);
  refused(tar_file({{"f", {}, '0', "\xff"}}),
          "at byte 0: \"f\": the size is negative or has more than 64 bits", __LINE__);
  refused(tar_file({{"f"}}, 0), "at byte 512: the archive is cut short: it ends without an empty block",
          __LINE__);
  Bytes damaged = tar_file({{"f"}});
  damaged[3] = 1;
  refused(damaged, "at byte 0: the check sum is wrong: this is no tar archive, or it is damaged", __LINE__);
  write_file(path_,
             tar_file({{"f", {}, '0', std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)}}));
  EXPECT_THROW(TarArchive{path_}, FormatError);
}

TEST_F(Tar, ABombCostsNoMoreThanTheLimit) {
  const Bytes bomb = test::gzip_bytes(tar_file({{"zeros", Bytes(40'000'000, 0)}}));
  EXPECT_LT(bomb.size(), 100'000u);
  write_file(path_, bomb);
  EXPECT_ERROR(IoError, TarArchive(path_, {.unpacked_limit = 1'000'000}),
               "[tar] \"" + path_ +
                   "\": \"zeros\" has 40000000 bytes, and the archive may unpack to 1000000; a "
                   "plain .tar of any size is read where it lies");
  // Many files, and zeros after the end.
  std::vector<TarItem> many;
  for (int i = 0; i < 300; ++i) many.push_back({"f" + std::to_string(i), Bytes(10'000, 0)});
  for (const int zeros : {2, 5000}) {
    write_file(path_, test::gzip_bytes(tar_file(zeros == 2 ? many : std::vector<TarItem>{{"f"}}, zeros)));
    EXPECT_THROW(TarArchive(path_, {.unpacked_limit = 1'000'000}), IoError);
  }
  write_file(path_, tar_file({{"large", Bytes(1000, 1)}}));
  const TarArchive archive(path_, {.file_limit = 999});
  EXPECT_ERROR(FormatError, archive.read(archive.entries()[0]),
               "[tar] \"" + path_ + "\": \"large\" has 1000 bytes, more than the limit of 999");
}

TEST_F(Tar, SeveralThreadsRead) {
  std::vector<TarItem> items;
  for (int i = 0; i < 50; ++i) {
    items.push_back(
        {std::to_string(i), Bytes(static_cast<std::size_t>(100 * i), static_cast<std::uint8_t>(i))});
  }
  write_file(path_, tar_file(items));
  const TarArchive archive(path_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < items.size(); ++i)
        EXPECT_EQ(archive.read(archive.entries()[i]), items[i].body);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Hostile, Tar) {
  const Bytes plain = tar_file({{"a/", {}, '5'}, {"a/one", Bytes(700, 1)}, {"a/two", Bytes(3, 2)}});
  const Bytes names = tar_file({{"L", bytes_of(std::string(200, 'n')), 'L'},
                                {"x", Bytes(600, 3)},
                                {"p", bytes_of("13 path=long\n"), 'x'},
                                {"y", Bytes(5, 4)}});
  const auto read = [](const std::string& path) {
    const TarArchive archive(path);
    for (const TarEntry& entry : archive.entries()) {
      EXPECT_EQ(archive.read(entry).size(), entry.size);
      EXPECT_EQ(("/" + entry.name + "/").find("/../"), std::string::npos);
    }
  };
  const test::HostileResult result = test::try_hostile_files(
      {.name = "tar", .files = {plain, names}, .count = 1200, .read = read, .repair = test::repair_tar}, 9);
  EXPECT_GT(result.refused, 300);
  EXPECT_GT(result.accepted, 50) << "some damage, as to a body, cannot be seen";
  const auto pack = [](Bytes& file) {
    test::repair_tar(file);
    file = test::gzip_bytes(file);
  };
  const test::HostileResult packed = test::try_hostile_files(
      {.name = "tar.gz", .files = {plain, names}, .count = 600, .read = read, .repair = pack}, 10);
  EXPECT_GT(packed.refused, 150);
}

// A gigabyte in a megabyte: as one file, which is refused at once, and as many, which are unpacked to the
// limit.
TEST(Hostile, TarBomb) {
  const Bytes zeros = test::gzip_bytes(Bytes(std::size_t{1} << 20, 0));
  Bytes one = test::gzip_bytes(tar_file({{"zeros", {}, '0', "10000000000"}}, 0));
  Bytes many;
  for (int i = 0; i < 1024; ++i) {
    const Bytes header = test::gzip_bytes(tar_file({{std::to_string(i), {}, '0', "00004000000"}}, 0));
    many.insert(many.end(), header.begin(), header.end());
    for (Bytes* bomb : {&one, &many}) bomb->insert(bomb->end(), zeros.begin(), zeros.end());
  }
  for (const Bytes& bomb : {one, many}) {
    const auto read = [](const std::string& path) { TarArchive archive(path); };
    const auto explode = [&](Bytes& file) { file = bomb; };
    const test::HostileResult result = test::try_hostile_files(
        {.name = "tar bomb", .files = {tar_file({{"f"}})}, .count = 2, .read = read, .repair = explode}, 11);
    EXPECT_GE(result.refused, 1);
  }
}

TEST_F(Tar, Eurosat) {
  const char* root = std::getenv("SPLOT_DATA");
  const std::string path =
      std::string(root == nullptr ? "" : root) + "/eurosat/eurosat-rgb-300-per-class.tar";
  if (root == nullptr || access(path.c_str(), R_OK) != 0) GTEST_SKIP() << "eurosat is not in SPLOT_DATA";
  const TarArchive archive(path);
  ASSERT_EQ(archive.entries().size(), 3000u);
  EXPECT_EQ(archive.entries()[0].name, "EuroSAT_RGB/AnnualCrop/AnnualCrop_1.jpg");
  std::uint64_t total = 0;
  for (const TarEntry& entry : archive.entries()) total += archive.read(entry).size();
  EXPECT_EQ(total, 10'296'327u);
}

}  // namespace
}  // namespace splot
