#include "splot/report/internal/layers.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <utility>

namespace splot::report_detail {
namespace {

constexpr double kBetweenRows = 34.0;
constexpr double kBesideBox = 18.0;
constexpr double kBesideLine = 9.0;
constexpr double kPassing = 6.0;  // the width of a line that passes a row
constexpr int kSweeps = 24;

// A box, or a place where a long line passes a row.
struct Stop {
  int box = -1;
  int row = 0;
  double width = kPassing;
  double x = 0.0;
  std::vector<int> above = {}, below = {};  // stops it is joined to
};

class Layout {
 public:
  explicit Layout(Rows& rows) : rows_(rows) {}

  void run() {
    find_rows();
    add_stops();
    order_stops();
    place_stops();
    write_back();
  }

 private:
  std::size_t index(int i) const { return static_cast<std::size_t>(i); }
  Stop& stop(int i) { return stops_[index(i)]; }

  // The longest way from the top. What starts a way without belonging at the top stands above its end.
  void find_rows() {
    const std::size_t n = rows_.boxes.size();
    row_of_.assign(n, 0);
    std::vector<bool> reached(n);
    std::vector<std::vector<int>> after(n);
    for (const RowLine& line : rows_.lines) {
      after[index(line.from)].push_back(line.to);
      reached[index(line.to)] = true;
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (const int to : after[i]) row_of_[index(to)] = std::max(row_of_[index(to)], row_of_[i] + 1);
    }
    for (std::size_t i = n; i-- > 0;) {
      if (reached[i] || rows_.boxes[i].first_row || after[i].empty()) continue;
      int lowest = row_of_[index(after[i][0])];
      for (const int to : after[i]) lowest = std::min(lowest, row_of_[index(to)]);
      row_of_[i] = lowest - 1;
    }
  }

  int add_stop(Stop added) {
    stops_.push_back(std::move(added));
    const auto id = static_cast<int>(stops_.size()) - 1;
    const std::size_t row = index(stops_.back().row);
    if (order_.size() <= row) order_.resize(row + 1);
    order_[row].push_back(id);
    return id;
  }

  // Lines from one box share their way as long as they can.
  void add_stops() {
    for (std::size_t i = 0; i < rows_.boxes.size(); ++i) {
      add_stop({.box = static_cast<int>(i), .row = row_of_[i], .width = rows_.boxes[i].width});
    }
    std::map<std::pair<int, int>, int> passing;  // by box and row
    const auto join = [&](int upper, int lower) {
      if (std::find(stop(upper).below.begin(), stop(upper).below.end(), lower) != stop(upper).below.end())
        return;
      stop(upper).below.push_back(lower);
      stop(lower).above.push_back(upper);
    };
    for (const RowLine& line : rows_.lines) {
      int at = line.from;
      std::vector<int> way = {at};
      for (int row = row_of_[index(line.from)] + 1; row < row_of_[index(line.to)]; ++row) {
        const auto [found, is_new] = passing.try_emplace({line.from, row}, -1);
        if (is_new) found->second = add_stop({.row = row});
        join(at, found->second);
        at = found->second;
        way.push_back(at);
      }
      join(at, line.to);
      way.push_back(line.to);
      ways_.push_back(std::move(way));
    }
  }

  std::vector<int> positions() const {
    std::vector<int> out(stops_.size());
    for (const std::vector<int>& row : order_) {
      for (std::size_t i = 0; i < row.size(); ++i) out[index(row[i])] = static_cast<int>(i);
    }
    return out;
  }

  long crossings() const {
    const std::vector<int> position = positions();
    long count = 0;
    for (const std::vector<int>& row : order_) {
      std::vector<std::pair<int, int>> lines;
      for (const int upper : row) {
        for (const int lower : stops_[index(upper)].below)
          lines.emplace_back(position[index(upper)], position[index(lower)]);
      }
      for (std::size_t i = 0; i < lines.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          count += (lines[i].first - lines[j].first) * (lines[i].second - lines[j].second) < 0 ? 1 : 0;
        }
      }
    }
    return count;
  }

  // Each row in the order of the middles of what its stops are joined to, down and up in turn.
  void order_stops() {
    std::vector<std::vector<int>> best = order_;
    long fewest = crossings();
    for (int sweep = 0; sweep < kSweeps && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t i = 1; i < order_.size(); ++i) {
        std::vector<int>& row = order_[down ? i : order_.size() - 1 - i];
        const std::vector<int> position = positions();
        std::vector<std::pair<double, int>> keyed;
        for (const int id : row) {
          const std::vector<int>& joined = down ? stop(id).above : stop(id).below;
          double middle = position[index(id)];
          if (!joined.empty()) {
            middle = 0.0;
            for (const int other : joined)
              middle += position[index(other)] / static_cast<double>(joined.size());
          }
          keyed.emplace_back(middle, id);
        }
        std::stable_sort(keyed.begin(), keyed.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t k = 0; k < row.size(); ++k) row[k] = keyed[k].second;
      }
      const long now = crossings();
      if (now < fewest) {
        fewest = now;
        best = order_;
      }
    }
    order_ = best;
  }

  double distance(int left, int right) const {
    const Stop &a = stops_[index(left)], &b = stops_[index(right)];
    const double gap = a.box >= 0 && b.box >= 0 ? kBesideBox : kBesideLine;
    return a.width / 2 + b.width / 2 + gap;
  }

  // The places closest to the wished ones, by least squares, that keep order and distances: neighbours that
  // wish to be too close move as one block (pool adjacent violators).
  void place_row(const std::vector<int>& row, const std::vector<double>& wished) {
    struct Block {
      double sum, weight;
      std::size_t count;
    };
    std::vector<double> offset(row.size(), 0.0);
    for (std::size_t i = 1; i < row.size(); ++i) offset[i] = offset[i - 1] + distance(row[i - 1], row[i]);
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < row.size(); ++i) {
      // Long lines weigh more: they are to be straight.
      const double weight = stop(row[i]).box < 0 ? 4.0 : 1.0;
      blocks.push_back({weight * (wished[i] - offset[i]), weight, 1});
      while (blocks.size() > 1) {
        const Block last = blocks.back();
        Block& before = blocks[blocks.size() - 2];
        if (before.sum / before.weight <= last.sum / last.weight) break;
        before = {before.sum + last.sum, before.weight + last.weight, before.count + last.count};
        blocks.pop_back();
      }
    }
    std::size_t i = 0;
    for (const Block& block : blocks) {
      for (std::size_t k = 0; k < block.count; ++k, ++i)
        stop(row[i]).x = block.sum / block.weight + offset[i];
    }
  }

  void place_stops() {
    for (const std::vector<int>& row : order_) place_row(row, std::vector<double>(row.size(), 0.0));
    for (int sweep = 0; sweep < 2 * kSweeps; ++sweep) {
      for (std::size_t i = 0; i < order_.size(); ++i) {
        const std::vector<int>& row = order_[sweep % 2 == 0 ? i : order_.size() - 1 - i];
        std::vector<double> wished;
        for (const int id : row) {
          double sum = 0.0;
          std::size_t joined = 0;
          for (const std::vector<int>* side : {&stop(id).above, &stop(id).below}) {
            for (const int other : *side) sum += stop(other).x;
            joined += side->size();
          }
          wished.push_back(joined == 0 ? stop(id).x : sum / static_cast<double>(joined));
        }
        place_row(row, wished);
      }
    }
  }

  void write_back() {
    double left = 0.0, right = 0.0;
    for (const Stop& s : stops_) {
      left = std::min(left, s.x - s.width / 2);
      right = std::max(right, s.x + s.width / 2);
    }
    std::vector<double> top, bottom;
    double y = 0.0;
    for (const std::vector<int>& row : order_) {
      double tallest = 0.0;
      for (const int id : row) {
        if (stop(id).box >= 0) tallest = std::max(tallest, rows_.boxes[index(stop(id).box)].height);
      }
      top.push_back(y);
      bottom.push_back(y + tallest);
      y += tallest + kBetweenRows;
    }
    for (std::size_t i = 0; i < rows_.boxes.size(); ++i) {
      rows_.boxes[i].top = {stops_[i].x - left, top[index(stops_[i].row)]};
    }
    for (std::size_t i = 0; i < ways_.size(); ++i) {
      const RowBox& from = rows_.boxes[index(rows_.lines[i].from)];
      std::vector<Point>& points = rows_.lines[i].points;
      points = {{from.top.x, from.top.y + from.height}};
      // Straight down past taller boxes of the row.
      points.push_back({from.top.x, bottom[index(stop(ways_[i].front()).row)]});
      for (std::size_t k = 1; k + 1 < ways_[i].size(); ++k) {
        const Stop& s = stop(ways_[i][k]);
        points.push_back({s.x - left, top[index(s.row)]});
        points.push_back({s.x - left, bottom[index(s.row)]});
      }
      points.push_back(rows_.boxes[index(rows_.lines[i].to)].top);
    }
    rows_.width = right - left;
    rows_.height = order_.empty() ? 0.0 : y - kBetweenRows;
  }

  Rows& rows_;
  std::vector<int> row_of_;              // of each box
  std::vector<Stop> stops_;              // the boxes first, in their order
  std::vector<std::vector<int>> order_;  // of each row: its stops from the left
  std::vector<std::vector<int>> ways_;   // of each line
};

}  // namespace

void lay_out(Rows& rows) { Layout(rows).run(); }

}  // namespace splot::report_detail
