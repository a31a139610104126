#include "splot/core/recorder.h"

#include "splot/core/error.h"

namespace splot {
namespace {

thread_local Recorder* current __attribute__((tls_model("initial-exec"))) = nullptr;

}  // namespace

Recorder* recorder() { return current; }

Recording::Recording(Recorder& recorder) {
  require<TraceError>(current == nullptr, "trace", "a function is being traced on this thread already");
  current = &recorder;
}
Recording::~Recording() { current = nullptr; }

}  // namespace splot
