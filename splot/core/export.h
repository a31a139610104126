// SPLOT_API marks what the shared library shows; everything else stays hidden.
#pragma once

#if defined(SPLOT_STATIC)
#define SPLOT_API
#else
#define SPLOT_API __attribute__((visibility("default")))
#endif
