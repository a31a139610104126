// One request: curl.cpp makes it, no_curl.cpp says that it cannot.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "splot/data/download.h"

namespace splot::data_detail {

/// Empty, or the reason why no request can be made.
std::string why_no_https();

/// Gets the body of a successful answer in pieces; what `take` throws passes through. Throws IoError when the
/// request fails.
void https_get(const std::string& url, const DownloadOptions& options,
               const std::function<void(const char* bytes, std::size_t n)>& take);

}  // namespace splot::data_detail
