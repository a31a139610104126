#include "splot/data/download.h"

#include <filesystem>
#include <system_error>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/sha256.h"
#include "splot/data/internal/https.h"

namespace splot {
namespace {

void check_address(const std::string& url, const DownloadOptions& options) {
  const bool loopback = options.allow_loopback_http && url.starts_with("http://127.0.0.1:");
  require<ValueError>(loopback || url.starts_with("https://"), "download", url,
                      " is not an https address; only those are used");
}

std::string reason(const std::error_code& error) { return error ? join(": ", error.message()) : ""; }

}  // namespace

const std::vector<KnownData>& known_data() {
  static const std::vector<KnownData> all = {
      {"mnist",
       "MNIST: handwritten digits, 28 x 28 grey pixels, 60,000 + 10,000",
       "no formal licence; commonly listed as CC BY-SA 3.0, Y. LeCun and C. Cortes",
       {"https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/"},
       {{"train-images-idx3-ubyte.gz", 9'912'422,
         "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
        {"train-labels-idx1-ubyte.gz", 28'881,
         "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
        {"t10k-images-idx3-ubyte.gz", 1'648'877,
         "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
        {"t10k-labels-idx1-ubyte.gz", 4'542,
         "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}}},
      {"fashion-mnist",
       "Fashion-MNIST: articles of clothing, 28 x 28 grey pixels, 60,000 + 10,000",
       "MIT, Zalando SE",
       {"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"},
       {{"train-images-idx3-ubyte.gz", 26'421'880,
         "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
        {"train-labels-idx1-ubyte.gz", 29'515,
         "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
        {"t10k-images-idx3-ubyte.gz", 4'422'102,
         "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
        {"t10k-labels-idx1-ubyte.gz", 5'148,
         "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}}},
  };
  return all;
}

bool download_available() { return data_detail::why_no_https().empty(); }

void download(const std::string& url, const std::string& path, const PinnedFile& file,
              const DownloadOptions& options) {
  check_address(url, options);
  require<ValueError>(options.stall_timeout.count() > 0 && options.connect_timeout.count() > 0, "download",
                      "timeouts must be positive");
  OutputFile out(path);
  Sha256 hash;
  std::uint64_t received = 0;
  data_detail::https_get(url, options, [&](const char* bytes, std::size_t n) {
    // Not a byte more than was promised reaches the disk.
    require<FormatError>(n <= file.size - received, "download", url, " is longer than the ", file.size,
                         " bytes it should have");
    out.write(bytes, n);
    hash.add(bytes, n);
    received += n;
    if (options.progress && !options.progress(file, received)) {
      fail<IoError>("download", url, ": stopped");
    }
  });
  require<FormatError>(received == file.size, "download", url, " has ", received, " bytes, it should have ",
                       file.size);
  require<FormatError>(hash.hex() == file.sha256, "download", url, " has the SHA-256 ", hash.hex(),
                       ", it should have ", file.sha256);
  out.commit();
}

bool is_pinned_file(const std::string& path, const PinnedFile& file) {
  std::error_code error;
  if (std::filesystem::file_size(path, error) != file.size || error) return false;
  InputFile in(path);
  Sha256 hash;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (const std::size_t n = in.read(buffer.data(), buffer.size())) hash.add(buffer.data(), n);
  return hash.hex() == file.sha256;
}

int fetch_data(const KnownData& data, const std::string& folder, const DownloadOptions& options) {
  const std::string home = join(folder, '/', data.name);
  std::error_code error;
  std::filesystem::create_directories(home, error);
  require<IoError>(!error, "download", "cannot make the folder \"", home, '"', reason(error));
  int fetched = 0;
  for (const PinnedFile& file : data.files) {
    const std::string path = join(home, '/', file.name);
    if (is_pinned_file(path, file)) continue;
    const std::string obstacle = data_detail::why_no_https();
    require<IoError>(obstacle.empty(), "download", data.name, ": ", file.name, " is missing, and ", obstacle,
                     "; get it from ", data.mirrors.front(), file.name, " by other means and put it into \"",
                     home, '"');
    std::string reasons;
    bool done = false;
    for (const std::string& mirror : data.mirrors) {
      try {
        download(mirror + file.name, path, file, options);
        done = true;
        break;
      } catch (const Error& why) {  // the next mirror may have it
        reasons += join("\n  ", why.what());
      }
    }
    require<IoError>(done, "download", data.name, ": no mirror has ", file.name, ':', reasons);
    ++fetched;
  }
  return fetched;
}

}  // namespace splot
