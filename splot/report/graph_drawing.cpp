#include "splot/report/graph_drawing.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "splot/core/messages.h"
#include "splot/ops/op_records.h"
#include "splot/report/internal/layers.h"
#include "splot/report/markup.h"

namespace splot {
namespace {

using report_detail::Point;
using report_detail::RowBox;
using report_detail::RowLine;
using report_detail::Rows;

constexpr double kMargin = 20.0;
constexpr double kTitle = 36.0;
constexpr double kLine = 15.0;
constexpr double kLetter = 6.6;  // of the fonts in Svg::style(), on average
constexpr double kStrongLetter = 7.8;
constexpr std::size_t kLongest = 40;

// One color for each kind of work.
int color_of(const OpDef& op) {
  const std::string_view name = op.name;
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has("matmul") || has("linear") || has("conv")) return 0;
  if (has("_step") && name != "binary_step") return 3;
  if (has("cross_entropy") || has("softmax") || has("logsumexp")) return 1;
  if (has("pool") || has("norm") || has("resize") || has("scale_shift")) return 5;
  if (name == "uniform" || name == "normal" || name == "bernoulli" || name == "randperm") return 4;
  if (op.elementwise != nullptr) return 2;
  return op.view != nullptr || op.inputs == 0 || name == "cast" ? 7 : 6;
}

std::string shortened(const std::string& text) {
  return text.size() <= kLongest ? text : text.substr(0, kLongest - 3) + "...";
}

struct Words {
  std::vector<std::string> lines;  // the first is what the box is
  std::string tooltip;
  int color = 7;
};

// The name of the layer in front of a slot's own: "0." of "0.weight".
std::string_view layer_of(std::string_view slot) {
  const std::size_t dot = slot.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : slot.substr(0, dot + 1);
}

// "0.weight, 0.bias" is "0: weight, bias".
std::string slots_text(const std::vector<std::string>& names) {
  const std::string layer = names.empty() ? "" : std::string(layer_of(names[0]));
  const bool shared =
      names.size() > 1 && !layer.empty() &&
      std::all_of(names.begin(), names.end(), [&](const std::string& n) { return layer_of(n) == layer; });
  std::string out = shared ? layer.substr(0, layer.size() - 1) + ": " : "";
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : ", ") + (shared ? names[i].substr(layer.size()) : names[i]);
  }
  return out;
}

class Drawing {
 public:
  explicit Drawing(const Graph& graph) : graph_(graph), box_of_(graph.values.size(), -1) {}

  Svg draw(std::string_view title) {
    add_boxes();
    lay_out(rows_);
    const double wide = std::max(rows_.width, kLetter * 1.2 * static_cast<double>(title.size()));
    Svg svg(wide + 2 * kMargin, rows_.height + kTitle + 2 * kMargin, title);
    svg.text(kMargin, kMargin + 4, title, "title");
    svg.begin_group(kMargin + (wide - rows_.width) / 2, kTitle + kMargin);
    for (const RowLine& line : rows_.lines) add_line(svg, line);
    for (std::size_t i = 0; i < words_.size(); ++i) add_box(svg, rows_.boxes[i], words_[i]);
    svg.end_group();
    return svg;
  }

 private:
  std::string type_of(ValueId id) const {
    const GraphValue& value = graph_.values[static_cast<std::size_t>(id)];
    return join(value.dtype, value.shape);
  }

  int add(Words words, bool first_row) {
    double width = 0.0;
    for (std::size_t i = 0; i < words.lines.size(); ++i) {
      words.lines[i] = shortened(words.lines[i]);
      const double letter = i == 0 ? kStrongLetter : kLetter;
      width = std::max(width, letter * static_cast<double>(words.lines[i].size()) + 16);
    }
    const double height = kLine * static_cast<double>(words.lines.size()) + 10;
    rows_.boxes.push_back({.width = width, .height = height, .first_row = first_row});
    words_.push_back(std::move(words));
    return static_cast<int>(words_.size()) - 1;
  }

  // What a call takes that is no result of another: slots, and numbers with random keys.
  void describe_inputs(const GraphCall& call, Words& words) const {
    std::vector<std::string> slots;
    std::string numbers;
    for (const ValueId id : call.inputs) {
      for (const GraphInput& input : graph_.inputs) {
        if (input.value != id) continue;
        if (input.kind == GraphInput::Kind::slot) {
          slots.push_back(graph_.slots[static_cast<std::size_t>(input.index)].name());
        } else if (input.kind == GraphInput::Kind::constant) {
          const bool one = input.constant.numel() == 1;
          numbers += (numbers.empty() ? "" : ", ") + (one ? figure_text(input.constant.item<double>())
                                                          : say(Message::graph_constant) + ' ' + type_of(id));
        } else if (input.kind == GraphInput::Kind::key) {
          numbers += say(Message::graph_random);
        }
      }
    }
    if (!slots.empty()) words.lines.push_back(slots_text(slots));
    if (!numbers.empty()) words.lines.push_back(numbers);
  }

  void describe_results(const GraphCall& call, Words& words) const {
    for (const ValueId id : call.outputs) {
      std::string line = type_of(id);
      for (const GraphWrite& write : graph_.writes) {
        if (write.value != id) continue;
        line = graph_.slots[static_cast<std::size_t>(write.slot)].name() + " := " + line;
      }
      words.lines.push_back(line);
    }
    if (call.fused != 0) words.lines.push_back(say(Message::graph_fused, call.fused));
  }

  void add_boxes() {
    for (const GraphInput& input : graph_.inputs) {
      if (input.kind != GraphInput::Kind::argument) continue;
      const std::string name = say(Message::graph_argument, input.index);
      box_of_[static_cast<std::size_t>(input.value)] = add({{name, type_of(input.value)}, {}, 7}, true);
    }
    for (const GraphCall& call : graph_.calls) {
      Words words{{call.op->name}, join(call.op->name, '(', call.attrs, ')'), color_of(*call.op)};
      describe_inputs(call, words);
      describe_results(call, words);
      const int box = add(std::move(words), false);
      for (const ValueId id : call.outputs) box_of_[static_cast<std::size_t>(id)] = box;
      join_boxes(call.inputs, box);
    }
    for (const ValueId id : graph_.outputs) {
      const int box = add({{say(Message::graph_result), type_of(id)}, {}, 7}, false);
      join_boxes({id}, box);
    }
  }

  void join_boxes(const std::vector<ValueId>& values, int to) {
    for (const ValueId id : values) {
      const int from = box_of_[static_cast<std::size_t>(id)];
      const bool known = std::any_of(rows_.lines.begin(), rows_.lines.end(),
                                     [&](const RowLine& line) { return line.from == from && line.to == to; });
      if (from >= 0 && !known) rows_.lines.push_back({.from = from, .to = to});
    }
  }

  static void add_line(Svg& svg, const RowLine& line) {
    const std::vector<Point>& p = line.points;
    std::string way = fmt::format("M{} {}", coordinate(p[0].x), coordinate(p[0].y));
    for (std::size_t i = 1; i < p.size(); ++i) {
      if (p[i].x == p[i - 1].x) {
        way += fmt::format("V{}", coordinate(p[i].y));
        continue;
      }
      const double middle = (p[i - 1].y + p[i].y) / 2;
      way += fmt::format("C{} {} {} {} {} {}", coordinate(p[i - 1].x), coordinate(middle), coordinate(p[i].x),
                         coordinate(middle), coordinate(p[i].x), coordinate(p[i].y));
    }
    const Point end = p.back();
    svg.path(way, "axis");
    svg.path(fmt::format("M{} {}l-3 -6h6z", coordinate(end.x), coordinate(end.y)), "fill c7");
  }

  static void add_box(Svg& svg, const RowBox& box, const Words& words) {
    const double left = box.top.x - box.width / 2;
    const std::string color = join('c', words.color);
    svg.rect(left, box.top.y, box.width, box.height, "back");
    svg.rect(left, box.top.y, box.width, box.height, "fill " + color, 0.14, words.tooltip);
    svg.path(fmt::format("M{} {}h{}v{}h-{}z", coordinate(left), coordinate(box.top.y), coordinate(box.width),
                         coordinate(box.height), coordinate(box.width)),
             "line thin " + color);
    double y = box.top.y + kLine;
    for (std::size_t i = 0; i < words.lines.size(); ++i, y += kLine) {
      svg.text(box.top.x, y, words.lines[i], i == 0 ? "strong" : "soft", Anchor::middle);
    }
  }

  const Graph& graph_;
  Rows rows_;
  std::vector<Words> words_;  // of each box
  std::vector<int> box_of_;   // the box that makes a value; -1: none is drawn
};

}  // namespace

Svg draw(const Graph& graph, std::string_view title) { return Drawing(graph).draw(title); }

}  // namespace splot
