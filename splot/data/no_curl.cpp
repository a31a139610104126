#include "splot/core/error.h"
#include "splot/data/internal/https.h"

namespace splot::data_detail {

std::string why_no_https() { return "this Splot was built without downloads (SPLOT_DOWNLOAD=OFF)"; }

void https_get(const std::string& url, const DownloadOptions&,
               const std::function<void(const char* bytes, std::size_t n)>&) {
  fail<IoError>("download", url, " cannot be got: ", why_no_https());
}

}  // namespace splot::data_detail
