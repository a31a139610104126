#include <exception>
#include <memory>
#include <string>

#include <curl/curl.h>
#include <dlfcn.h>

#include "splot/core/error.h"
#include "splot/core/version.h"
#include "splot/data/internal/https.h"

namespace splot::data_detail {
namespace {

// libcurl brings 20 libraries with it, which only a download needs: it is opened by the first one and stays
// open (docs/decisions/004-libcurl-on-demand.md).
class LibCurl {
 public:
  static const LibCurl& get() {
    static const LibCurl library;
    return library;
  }

  std::string missing;  // what is; empty: everything below can be called
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;

 private:
  LibCurl() {
    void* library = dlopen(SPLOT_LIBCURL, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      missing = join("libcurl cannot be opened: ", dlerror());
      return;
    }
    decltype(&curl_global_init) global_init = nullptr;
    find(library, "curl_global_init", global_init);
    find(library, "curl_easy_init", easy_init);
    find(library, "curl_easy_cleanup", easy_cleanup);
    find(library, "curl_easy_setopt", easy_setopt);
    find(library, "curl_easy_perform", easy_perform);
    find(library, "curl_easy_getinfo", easy_getinfo);
    find(library, "curl_easy_strerror", easy_strerror);
    if (missing.empty() && global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      missing = "libcurl cannot be started";
  }

  template <typename Function>
  void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) missing = join(SPLOT_LIBCURL " has no ", name);
  }
};

struct Transfer {
  const std::function<void(const char* bytes, std::size_t n)>& take;
  std::exception_ptr thrown;
};

// libcurl is C: an exception waits here until it has returned.
std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  try {
    transfer.take(bytes, size * count);
    return size * count;
  } catch (...) {
    transfer.thrown = std::current_exception();
    return size * count + 1;  // any other number than asked for ends the transfer
  }
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  const LibCurl& library = LibCurl::get();
  const CURLcode code = library.easy_setopt(handle, option, value);
  require<IoError>(code == CURLE_OK, "download", "libcurl: ", library.easy_strerror(code));
}

void set_protocols(CURL* handle, bool loopback) {
#if LIBCURL_VERSION_NUM >= 0x075500
  set(handle, CURLOPT_PROTOCOLS_STR, loopback ? "http,https" : "https");
  set(handle, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else  // before 7.85 they were bits
  set(handle, CURLOPT_PROTOCOLS, loopback ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS);
  set(handle, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTPS);
#endif
}

}  // namespace

std::string why_no_https() { return LibCurl::get().missing; }

void https_get(const std::string& url, const DownloadOptions& options,
               const std::function<void(const char* bytes, std::size_t n)>& take) {
  const LibCurl& library = LibCurl::get();
  require<IoError>(library.missing.empty(), "download", url, " cannot be got: ", library.missing);
  const std::unique_ptr<CURL, decltype(library.easy_cleanup)> handle(library.easy_init(),
                                                                     library.easy_cleanup);
  require<IoError>(handle != nullptr, "download", "libcurl cannot be started");
  CURL* curl = handle.get();
  Transfer transfer{take, {}};
  const std::string agent = join("splot/", version());
  const bool loopback = options.allow_loopback_http;
  set(curl, CURLOPT_URL, url.c_str());
  set(curl, CURLOPT_USERAGENT, agent.c_str());
  set(curl, CURLOPT_NOSIGNAL, 1L);  // the program's signals are its own
  set(curl, CURLOPT_FOLLOWLOCATION, 1L);
  set(curl, CURLOPT_MAXREDIRS, 5L);
  set(curl, CURLOPT_FAILONERROR, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  set(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  set(curl, CURLOPT_WRITEFUNCTION, &on_bytes);
  set(curl, CURLOPT_WRITEDATA, &transfer);
  if (loopback) set(curl, CURLOPT_PROXY, "");
  set_protocols(curl, loopback);
  const CURLcode code = library.easy_perform(curl);
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  long status = 0;
  library.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_UNSUPPORTED_PROTOCOL && status >= 300 && status < 400) {
    fail<IoError>("download", url, " sends on to an address that is not https; that is refused");
  }
  if (code == CURLE_HTTP_RETURNED_ERROR) fail<IoError>("download", url, ": the server answers ", status);
  require<IoError>(code == CURLE_OK, "download", url, ": ", library.easy_strerror(code));
  require<IoError>(status == 200, "download", url, ": the server answers ", status);
}

}  // namespace splot::data_detail
