#include "splot/report/internal/picture_sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "splot/report/internal/html.h"
#include "splot/report/markup.h"

namespace splot::report_detail {
namespace {

constexpr Index kSmallSide = 32;

// A picture over the whole width, with words above it.
std::string strip(std::string_view name, const Image& picture, std::string_view description) {
  return "<div class=\"strip\">" + element("strong", name) + image(picture, description) + "</div>\n";
}

// Small maps with larger pixels, so that the lines between them are as thin as between large ones.
std::vector<Image> enlarged(const std::vector<Image>& maps) {
  std::vector<Image> out;
  for (const Image& map : maps) {
    const Index times = std::max<Index>(1, kSmallSide / std::max(map.width, map.height));
    Image& large = out.emplace_back(Image{times * map.width, times * map.height, 1, {}});
    for (Index y = 0; y < large.height; ++y) {
      for (Index x = 0; x < large.width; ++x) {
        large.pixels.push_back(map.pixels[static_cast<std::size_t>(y / times * map.width + x / times)]);
      }
    }
  }
  return out;
}

}  // namespace

std::string class_name(const Examination& seen, Index number) {
  return seen.classes[static_cast<std::size_t>(number)];
}

std::string mosaic(const RunReport& report) {
  if (!report.seen || report.seen->by_class.empty()) return "";
  const Examination& seen = *report.seen;
  std::string out;
  std::size_t most = 0;
  std::vector<std::vector<Image>> rows(seen.classes.size());
  for (const SeenExample& example : seen.by_class) {
    std::vector<Image>& row = rows[static_cast<std::size_t>(example.target)];
    if (example.picture) row.push_back(thumbnail(*example.picture, kSmallSide));
    most = std::max(most, row.size());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    // As wide as the others, so that pictures are equally large in all rows.
    rows[i].resize(most, Image{1, 1, 1, {128}});
    out += strip(seen.classes[i], contact_sheet(rows[i], most),
                 say(Message::report_mosaic_alt, seen.classes[i]));
  }
  return section("mosaic", Message::report_mosaic,
                 element("p", say(Message::report_mosaic_note, part_title(seen.part)), "note") +
                     "<div class=\"card strips\">\n" + out + "</div>\n");
}

std::string confusions(const RunReport& report) {
  if (!report.seen || report.seen->cells.empty()) return "";
  const Examination& seen = *report.seen;
  std::string out = "<thead><tr><th></th>";
  for (const std::string& name : seen.classes)
    out += fmt::format("<th scope=\"col\">{}</th>", escape_markup(name));
  out += "</tr></thead>\n<tbody>\n";
  auto cell = seen.cells.begin();
  const auto classes = static_cast<Index>(seen.classes.size());
  for (Index target = 0; target < classes; ++target) {
    out += fmt::format("<tr><th scope=\"row\">{}</th>", escape_markup(class_name(seen, target)));
    for (Index predicted = 0; predicted < classes; ++predicted) {
      const Index count = seen.matrix->count(target, predicted);
      if (cell == seen.cells.end() || cell->target != target || cell->predicted != predicted ||
          !cell->picture) {
        out += "<td></td>";
        continue;
      }
      const std::string words = say(Message::report_confused_alt, class_name(seen, target),
                                    class_name(seen, predicted), count, percent_text(cell->confidence));
      out +=
          fmt::format("<td class=\"{}\" tabindex=\"0\" title=\"{}\">{}<span class=\"count\">{}</span></td>",
                      target == predicted ? "right" : "wrong", escape_markup(words),
                      image(thumbnail(*cell->picture, kSmallSide), words), count_text(count));
      ++cell;
    }
    out += "</tr>\n";
  }
  return "<div class=\"card confusions\"><figcaption>" + element("h3", say(Message::report_confusions)) +
         "</figcaption><div class=\"scroll\"><table class=\"cells\">" + out + "</tbody></table></div>" +
         element("p", say(Message::report_confusions_note), "note") + "</div>\n";
}

std::string causes(const RunReport& report) {
  std::string out;
  for (const SeenCause& cause : report.causes) {
    if (!report.seen || !cause.example.picture || !cause.covered) continue;
    std::vector<Image> all = {*cause.example.picture, *cause.covered};
    if (cause.gradient) all.push_back(*cause.gradient);
    for (Image& picture : all) picture = thumbnail(picture, kShownSide);
    const std::string said = say(Message::report_said, class_name(*report.seen, cause.example.predicted));
    out += "<div>" +
           image(contact_sheet(all, all.size()), say(Message::report_causes_alt, cause.example.number)) +
           element("strong", say(Message::report_is, class_name(*report.seen, cause.example.target))) +
           "<br>" + element("span", said, "bad") + "</div>\n";
  }
  if (out.empty()) return "";
  return section("causes", Message::report_causes,
                 element("p", say(Message::report_causes_note), "note") +
                     "<div class=\"card digits causes\">\n" + out + "</div>\n");
}

std::string changed_pictures(const RunReport& report) {
  if (report.changed.empty()) return "";
  std::string out;
  for (const ChangedPicture& row : report.changed) {
    std::vector<Image> all = {thumbnail(row.before, kSmallSide)};
    for (const Image& picture : row.after) all.push_back(thumbnail(picture, kSmallSide));
    out += "<div class=\"strip\">" +
           image(contact_sheet(all, all.size()), say(Message::report_changed_alt, row.number)) + "</div>\n";
  }
  return section(
      "changed", Message::report_changed,
      element("p", say(Message::report_changed_note, report.changed.front().after.size()), "note") +
          "<div class=\"card strips\">\n" + out + "</div>\n");
}

std::string maps(const RunReport& report) {
  std::string out;
  for (const SeenMaps& row : report.maps) {
    if (!row.example.picture || row.layers.empty() || !report.seen) continue;
    const std::string name = class_name(*report.seen, row.example.target);
    std::string layers;
    for (const FeatureMaps& layer : row.layers) {
      const std::string words =
          say(Message::report_maps_layer, layer.layer, layer.maps.size(), layer.filters);
      layers += image(contact_sheet(enlarged(layer.maps), layer.maps.size()), name + ", " + words) +
                element("span", words, "caption");
    }
    out += "<div class=\"strip first\">" + element("strong", name) + "<div>" +
           image(thumbnail(*row.example.picture, kShownSide), name) + "</div><div>" + layers +
           "</div></div>\n";
  }
  if (out.empty()) return "";
  return section("maps", Message::report_maps,
                 element("p", say(Message::report_maps_note), "note") + "<div class=\"card strips\">\n" +
                     out + "</div>\n");
}

std::string weights(const RunReport& report) {
  const WeightPictures& all = report.weights;
  if (all.images.empty()) return "";
  std::string out;
  for (std::size_t i = 0; i < all.images.size(); ++i) {
    const std::string name = say(all.filters ? Message::report_filter : Message::report_unit, i);
    out += "<div>" + image(all.images[i], name) + element("span", name, "caption") + "</div>\n";
  }
  const std::string limit = figure_text(all.limit, 3);
  const Message note = all.colour    ? Message::report_filters_colour_note
                       : all.filters ? Message::report_filters_note
                                     : Message::report_weights_note;
  return section("weights", all.filters ? Message::report_filters : Message::report_weights,
                 element("p", say(note, all.parameter, all.images.size(), all.units), "note") +
                     fmt::format("<div class=\"scale\"><span>-{0}</span><i{1}></i><span>+{0}</span></div>\n",
                                 limit, all.colour ? " class=\"grey\"" : "") +
                     "<div class=\"card digits small\">\n" + out + "</div>\n<p>" +
                     csv_link("weights", to_csv(all, all.images.size()), say(Message::report_weights_csv)) +
                     "</p>\n");
}

std::string field_text(const std::vector<ReceptiveField>& fields, std::string_view layer) {
  for (const ReceptiveField& field : fields) {
    if (field.layer != layer) continue;
    return field.whole ? say(Message::report_field_whole) : join(field.height, " x ", field.width);
  }
  return {};
}

}  // namespace splot::report_detail
