// What a user's first program looks like.
#include <cstdio>
#include <cstring>

#include <splot/splot.h>

int main() {
  std::printf("Splot %s\n", splot::version());
  return std::strcmp(splot::version(), SPLOT_VERSION) == 0 ? 0 : 1;
}
