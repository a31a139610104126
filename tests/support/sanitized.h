// Whether this is a build with a sanitizer, in which everything takes five to fifty times as long.
#pragma once

#if defined(__has_feature)  // clang says it this way
#if __has_feature(address_sanitizer)
#define SPLOT_TEST_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SPLOT_TEST_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SPLOT_TEST_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SPLOT_TEST_TSAN 1
#endif

namespace splot::test {

#if defined(SPLOT_TEST_ASAN) || defined(SPLOT_TEST_TSAN)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace splot::test
