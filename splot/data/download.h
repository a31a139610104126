// Data sets from the network: over https alone, with size and SHA-256 pinned, and whole or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"

namespace splot {

/// What a file must be to be kept.
struct PinnedFile {
  std::string name;        ///< within its folder
  std::uint64_t size = 0;  ///< in bytes
  std::string sha256;      ///< 64 hexadecimal digits, lower case
};

/// A data set Splot knows where to get.
struct KnownData {
  std::string name;                  ///< "mnist": also its folder
  std::string title;                 ///< one line
  std::string terms;                 ///< its licence, in short
  std::vector<std::string> mirrors;  ///< each with a / at its end; tried in order
  std::vector<PinnedFile> files;
};
/// MNIST and Fashion-MNIST.
SPLOT_API const std::vector<KnownData>& known_data();

struct DownloadOptions {
  std::chrono::milliseconds connect_timeout{20'000};
  /// A transfer that brings less than 1 KiB a second over so long is given up; whole seconds.
  std::chrono::seconds stall_timeout{30};
  /// Told now and then how many bytes of the file have come; false ends the download with an IoError.
  std::function<bool(const PinnedFile& file, std::uint64_t received)> progress = {};
  /// Plain http to 127.0.0.1, for tests and mirrors on the same machine: no one else can be listening.
  bool allow_loopback_http = false;
};

/// Whether this Splot was built with libcurl and finds it on this machine; it is opened by the first call of
/// this function or of a download. Without it, downloads throw IoError.
SPLOT_API bool download_available();

/// Gets one file. It appears under `path` when size and hash are right; until then, and whatever happens,
/// what was there stays. Redirections are followed to https alone. Throws ValueError for an address that is
/// not https, IoError when the network or the disk fails, FormatError when what came is not the pinned file.
///
///   download("https://example.org/names.txt", "names.txt", {"names.txt", 228145, "419e00da..."});
SPLOT_API void download(const std::string& url, const std::string& path, const PinnedFile& file,
                        const DownloadOptions& options = {});

/// Gets what is missing or damaged of a data set into the folder `folder/name`; files that are right already
/// are left alone. Each mirror is tried for each file; throws IoError with every mirror's reason when none
/// has it, or none can be asked (download_available). Returns how many files were downloaded.
///
///   fetch_data(known_data()[0], data_folders().front());
SPLOT_API int fetch_data(const KnownData& data, const std::string& folder,
                         const DownloadOptions& options = {});

/// Whether the file is there, and has that size and hash.
SPLOT_API bool is_pinned_file(const std::string& path, const PinnedFile& file);

}  // namespace splot
