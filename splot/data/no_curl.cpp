#include "splot/core/error.h"
#include "splot/data/internal/https.h"

namespace splot::data_detail {

bool https_is_available() { return false; }

void https_get(const std::string& url, const DownloadOptions&,
               const std::function<void(const char* bytes, std::size_t n)>&) {
  fail<IoError>("download", url, " cannot be got: this Splot was built without libcurl (SPLOT_DOWNLOAD=OFF)");
}

}  // namespace splot::data_detail
