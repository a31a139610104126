#include "splot/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "splot/core/random.h"
#include "splot/data/internal/digit_shapes.h"

namespace splot {
namespace {

using digits::Knot;
using digits::Stroke;
using digits::Style;

constexpr int kSide = 28;
constexpr double kBox = 20.0;  // MNIST's box for the ink
constexpr int kMargin = 2;     // room around the box for the soft edge
constexpr int kCanvas = 20 + 2 * kMargin;

struct Point {
  double x = 0.0;
  double y = 0.0;
};

// A straight piece of pen track.
struct Segment {
  Point from;
  Point to;
  double radius = 0.0;
};

// One hand's way with the pen: a smooth bend of the plane, then slant, turn and stretch.
class Hand {
 public:
  explicit Hand(RandomStream& random) {
    const double slant = 0.18 + 0.26 * random.normal();
    const double turn = 0.1 * random.normal();
    const double width = std::exp(-0.12 + 0.2 * random.normal());
    xx_ = width * std::cos(turn);
    xy_ = -slant * std::cos(turn) - std::sin(turn);
    yx_ = width * std::sin(turn);
    yy_ = std::cos(turn) - slant * std::sin(turn);
    for (Wave& wave : waves_) {
      const double angle = 2.0 * std::numbers::pi * random.uniform();
      const double frequency = random.uniform(2.0, 6.0);
      wave = {frequency * std::cos(angle), frequency * std::sin(angle),
              2.0 * std::numbers::pi * random.uniform(), 0.045 * random.normal(), 0.045 * random.normal()};
    }
  }

  Point operator()(Point p) const {
    Point q = p;
    for (const Wave& wave : waves_) {
      const double s = std::sin(wave.kx * p.x + wave.ky * p.y + wave.phase);
      q.x += wave.dx * s;
      q.y += wave.dy * s;
    }
    return {xx_ * q.x + xy_ * q.y, yx_ * q.x + yy_ * q.y};
  }

 private:
  struct Wave {
    double kx = 0.0;
    double ky = 0.0;
    double phase = 0.0;
    double dx = 0.0;
    double dy = 0.0;
  };
  double xx_ = 1.0, xy_ = 0.0, yx_ = 0.0, yy_ = 1.0;
  std::array<Wave, 3> waves_;
};

const Style& choose_style(int digit, RandomStream& random) {
  const std::span<const Style> styles = digits::styles(digit);
  int total = 0;
  for (const Style& style : styles) total += style.weight;
  auto left = static_cast<int>(random.below(static_cast<std::uint64_t>(total)));
  for (const Style& style : styles) {
    left -= style.weight;
    if (left < 0) return style;
  }
  return styles.back();
}

// Catmull and Rom's spline between b and c; a and d are their neighbours.
Point spline(Point a, Point b, Point c, Point d, double t) {
  const auto at = [t](double pa, double pb, double pc, double pd) {
    return 0.5 *
           (2.0 * pb +
            t * (pc - pa + t * (2.0 * pa - 5.0 * pb + 4.0 * pc - pd + t * (3.0 * (pb - pc) + pd - pa))));
  };
  return {at(a.x, b.x, c.x, d.x), at(a.y, b.y, c.y, d.y)};
}

constexpr int kPieces = 6;  // straight pieces between two knots

void write_stroke(Stroke stroke, const Hand& hand, double shake, RandomStream& random,
                  std::vector<Segment>& out) {
  std::array<Point, 16> knots;
  const std::size_t n = stroke.size();
  for (std::size_t i = 0; i < n; ++i) {
    knots[i] = {stroke[i].x + shake * random.normal(), stroke[i].y + shake * random.normal()};
  }
  // The pen is set down and lifted a little early or late.
  const auto stretch_end = [&](Point& end, const Point& next) {
    const double by = 0.12 * random.normal();
    end = {end.x + by * (end.x - next.x), end.y + by * (end.y - next.y)};
  };
  stretch_end(knots[0], knots[1]);
  stretch_end(knots[n - 1], knots[n - 2]);
  Point last = hand(knots[0]);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const Point before = i == 0 || stroke[i].corner ? knots[i] : knots[i - 1];
    const Point after = i + 2 == n || stroke[i + 1].corner ? knots[i + 1] : knots[i + 2];
    for (int piece = 1; piece <= kPieces; ++piece) {
      const Point next = hand(spline(before, knots[i], knots[i + 1], after, piece / double{kPieces}));
      out.push_back({last, next, 0.0});
      last = next;
    }
  }
}

// Moves and scales the track so that it fills the box in its longer direction with the pen's width.
void fit_into_box(std::vector<Segment>& track, double radius) {
  Point low = track[0].from;
  Point high = low;
  for (const Segment& s : track) {
    for (const Point& p : {s.from, s.to}) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  }
  const double scale = (kBox - 2.0 * radius) / std::max({high.x - low.x, high.y - low.y, 0.1});
  const double edge = kMargin + radius;
  for (Segment& s : track) {
    for (Point* p : {&s.from, &s.to}) *p = {edge + scale * (p->x - low.x), edge + scale * (p->y - low.y)};
  }
}

using Canvas = std::array<float, kCanvas * kCanvas>;

// Ink is full inside the pen's radius and fades over `soft` pixels around its edge; pieces do not add up.
void draw(const Segment& s, double soft, Canvas& canvas) {
  const double reach = s.radius + 0.5 * soft;
  const auto clip = [](double v) { return std::clamp(static_cast<int>(v), 0, kCanvas - 1); };
  const int x0 = clip(std::min(s.from.x, s.to.x) - reach);
  const int x1 = clip(std::max(s.from.x, s.to.x) + reach);
  const int y0 = clip(std::min(s.from.y, s.to.y) - reach);
  const int y1 = clip(std::max(s.from.y, s.to.y) + reach);
  const double dx = s.to.x - s.from.x;
  const double dy = s.to.y - s.from.y;
  const double square = std::max(dx * dx + dy * dy, 1e-12);
  for (int y = y0; y <= y1; ++y) {
    for (int x = x0; x <= x1; ++x) {
      const double px = x + 0.5 - s.from.x;
      const double py = y + 0.5 - s.from.y;
      const double t = std::clamp((px * dx + py * dy) / square, 0.0, 1.0);
      const double ex = px - t * dx;
      const double ey = py - t * dy;
      const double distance = std::sqrt(ex * ex + ey * ey);
      const auto ink = static_cast<float>(std::clamp((reach - distance) / soft, 0.0, 1.0));
      float& pixel = canvas[static_cast<std::size_t>(y * kCanvas + x)];
      pixel = std::max(pixel, ink);
    }
  }
}

// Copies the canvas so that its centre of mass comes to the middle, by whole pixels as MNIST does.
void centre(const Canvas& canvas, std::span<std::uint8_t> image) {
  double mass = 0.0;
  Point sum;
  for (int y = 0; y < kCanvas; ++y) {
    for (int x = 0; x < kCanvas; ++x) {
      const double ink = canvas[static_cast<std::size_t>(y * kCanvas + x)];
      mass += ink;
      sum.x += ink * x;
      sum.y += ink * y;
    }
  }
  const auto shift = [&](double moment) {
    return static_cast<int>(std::ceil(kSide / 2 - moment / mass - 0.5));
  };
  const int right = shift(sum.x);
  const int down = shift(sum.y);
  std::fill(image.begin(), image.end(), std::uint8_t{0});
  for (int y = std::max(0, -down); y < kCanvas && y + down < kSide; ++y) {
    for (int x = std::max(0, -right); x < kCanvas && x + right < kSide; ++x) {
      image[static_cast<std::size_t>((y + down) * kSide + x + right)] =
          static_cast<std::uint8_t>(std::lround(255.0f * canvas[static_cast<std::size_t>(y * kCanvas + x)]));
    }
  }
}

int draw_digit(const RandomKey& key, std::vector<Segment>& track, std::span<std::uint8_t> image) {
  RandomStream random(key);
  const auto digit = static_cast<int>(random.below(10));
  const Style& style = choose_style(digit, random);
  const Hand hand(random);
  const double shake = 0.015 + 0.045 * random.uniform();
  const double radius = std::clamp(1.12 * std::exp(0.27 * random.normal()), 0.65, 2.1);
  const double soft = random.uniform(0.9, 1.5);
  track.clear();
  for (const Stroke& stroke : style.strokes) write_stroke(stroke, hand, shake, random, track);
  fit_into_box(track, radius);
  // The pen presses harder here and there.
  const double pressure = 0.18 * random.uniform();
  const double phase = 2.0 * std::numbers::pi * random.uniform();
  const double rate = random.uniform(0.05, 0.25);
  Canvas canvas{};
  for (std::size_t i = 0; i < track.size(); ++i) {
    track[i].radius = radius * (1.0 + pressure * std::sin(phase + rate * static_cast<double>(i)));
    draw(track[i], soft, canvas);
  }
  centre(canvas, image);
  return digit;
}

Dataset part(const DigitsOptions& options, Index first, Index count) {
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(count));
  const Tensor images = Tensor::build<std::uint8_t>(
      {count, 1, kSide, kSide},
      [&](std::span<std::uint8_t> pixels) { draw_digits(options.seed, first, pixels, labels); });
  return Dataset("digits", images, Tensor::from(labels, {count}),
                 {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, {.divisor = 255.0});
}

}  // namespace

void draw_digits(std::uint64_t seed, Index first, std::span<std::uint8_t> pixels,
                 std::span<std::uint8_t> labels) {
  constexpr std::size_t kPixels = kSide * kSide;
  require(pixels.size() == labels.size() * kPixels, "draw_digits", labels.size(), " digits need ",
          labels.size() * kPixels, " pixels, got ", pixels.size());
  std::vector<Segment> track;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const RandomKey key = {seed, stream_of("data.digits"), static_cast<std::uint64_t>(first) + i};
    labels[i] = static_cast<std::uint8_t>(draw_digit(key, track, pixels.subspan(i * kPixels, kPixels)));
  }
}

DataSplits make_digits(const DigitsOptions& options) {
  require<ValueError>(options.train >= 0 && options.test >= 0, "digits", "asked for ", options.train,
                      " training and ", options.test, " test images");
  require<ValueError>(options.validation >= 0 && options.validation <= options.train, "digits",
                      "validation asks for ", options.validation, " of ", options.train, " training images");
  const Dataset train = part(options, 0, options.train);
  const Index kept = options.train - options.validation;
  return {train.slice(0, kept), train.slice(kept, options.validation),
          part(options, options.train, options.test)};
}

}  // namespace splot
