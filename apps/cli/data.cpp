// splot data: which data sets there are, what is in them, and how to get them.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/data/download.h"
#include "splot/data/image.h"
#include "splot/data/mnist.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"

#include "apps/cli/command.h"
#include "apps/cli/picture.h"

namespace splot::cli {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string> kNames = {"mnist", "fashion-mnist", "digits"};

struct DataOptions {
  std::string name;
  std::string part = "test";
  std::string picture;
  Index index = 0;
  Index count = 0;
  std::string label;
  std::optional<std::string> mirror;
  bool json = false;
};

const KnownData* known(const std::string& name) {
  for (const KnownData& data : known_data()) {
    if (data.name == name) return &data;
  }
  return nullptr;
}

std::string title_of(const std::string& name) {
  const KnownData* data = known(name);
  return data == nullptr ? say(Message::data_digits_title) : data->title;
}

// The folder in which all files are, packed or not; empty when there is none.
std::string folder_of(const KnownData& data) {
  std::error_code ignored;
  for (const std::string& root : data_folders()) {
    const std::filesystem::path folder = std::filesystem::path(root) / data.name;
    const bool complete = std::all_of(data.files.begin(), data.files.end(), [&](const PinnedFile& file) {
      const std::filesystem::path packed = folder / file.name;
      std::filesystem::path unpacked = packed;
      unpacked.replace_extension();
      return std::filesystem::exists(packed, ignored) || std::filesystem::exists(unpacked, ignored);
    });
    if (complete) return folder.string();
  }
  return {};
}

std::string place_of(const std::string& name) {
  const KnownData* data = known(name);
  if (data == nullptr) return say(Message::data_built_in);
  const std::string folder = folder_of(*data);
  return folder.empty() ? say(Message::data_missing, name) : folder;
}

int run_list(const DataOptions& options) {
  Json all = Json::array();
  std::string text;
  for (const std::string& name : kNames) {
    const KnownData* data = known(name);
    const std::string folder = data == nullptr ? "" : folder_of(*data);
    all.push_back({{"name", name},
                   {"title", title_of(name)},
                   {"built_in", data == nullptr},
                   {"folder", folder.empty() ? Json(nullptr) : Json(folder)}});
    text += fmt::format("{:<15} {}\n{:<15} {}\n", name, title_of(name), "", place_of(name));
  }
  print(options.json ? all.dump(2) + '\n' : text);
  return kOk;
}

struct Part {
  std::string name;
  Dataset data;
};

std::vector<Part> parts_of(const std::string& name) {
  DataRecipe recipe;
  recipe.name = name;
  RecipeData data = load_data(recipe);
  return {{"train", data.train}, {"test", *data.test}};
}

std::vector<Index> sizes(const Shape& shape) { return {shape.begin(), shape.end()}; }

int run_info(const DataOptions& options) {
  const KnownData* data = known(options.name);
  const std::vector<Part> parts = parts_of(options.name);
  const Dataset& first = parts.front().data;
  Json out = {{"name", options.name},
              {"title", title_of(options.name)},
              {"terms", data == nullptr ? Json(nullptr) : Json(data->terms)},
              {"folder", data == nullptr ? Json(nullptr) : Json(folder_of(*data))},
              {"sample", sizes(first.sample_shape())},
              {"dtype", first.inputs().dtype().name()},
              {"classes", first.classes()},
              {"examples", Json::object()},
              {"files", Json::array()}};
  std::string classes;
  for (const std::string& c : first.classes()) classes += join(classes.empty() ? "" : ", ", c);
  std::string text = say(Message::data_info, options.name, title_of(options.name), place_of(options.name),
                         data == nullptr ? say(Message::data_no_terms) : data->terms, first.sample_shape(),
                         first.inputs().dtype().name(), classes);
  for (const Part& part : parts) {
    out["examples"][part.name] = part.data.size();
    text += say(Message::data_info_part, part.name, part.data.size());
  }
  if (data != nullptr) {
    for (const PinnedFile& file : data->files) {
      out["files"].push_back({{"name", file.name}, {"bytes", file.size}, {"sha256", file.sha256}});
      text += say(Message::data_info_file, file.name, file.size, file.sha256);
    }
    out["mirrors"] = data->mirrors;
  }
  print(options.json ? out.dump(2) + '\n' : text);
  return kOk;
}

struct Figures {
  double mean = 0.0, deviation = 0.0, min = 0.0, max = 0.0;
  std::vector<Index> counts;
};

Figures figures_of(const Dataset& data) {
  Figures out;
  const std::vector<double> values = data.inputs().to_vector<double>();
  for (const double v : values) out.mean += v;
  out.mean /= static_cast<double>(values.size());
  for (const double v : values) out.deviation += (v - out.mean) * (v - out.mean);
  out.deviation = std::sqrt(out.deviation / static_cast<double>(values.size()));
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  out.min = *low;
  out.max = *high;
  out.counts.assign(data.classes().size(), 0);
  for (const Index c : data.targets().to_vector<Index>()) ++out.counts[static_cast<std::size_t>(c)];
  return out;
}

int run_stats(const DataOptions& options) {
  Json out = {{"name", options.name}, {"parts", Json::array()}};
  const std::vector<Part> parts = parts_of(options.name);
  std::vector<Figures> all;
  std::string head = fmt::format("{:<15}", say(Message::data_part));
  for (const Part& part : parts) {
    const Figures f = all.emplace_back(figures_of(part.data));
    head += fmt::format("{:>12}", part.name);
    Json classes = Json::array();
    for (std::size_t c = 0; c < f.counts.size(); ++c) {
      classes.push_back({{"name", part.data.classes()[c]}, {"examples", f.counts[c]}});
    }
    out["parts"].push_back({{"part", part.name},
                            {"examples", part.data.size()},
                            {"mean", f.mean},
                            {"deviation", f.deviation},
                            {"min", f.min},
                            {"max", f.max},
                            {"classes", classes}});
  }
  if (options.json) {
    print(out.dump(2) + '\n');
    return kOk;
  }
  std::string text = head + '\n';
  const auto row = [&](const std::string& name, const auto& value) {
    text += fmt::format("{:<15}", name);
    for (std::size_t i = 0; i < parts.size(); ++i) text += fmt::format("{:>12}", value(i));
    text += '\n';
  };
  const auto figure = [&](Message name, double Figures::*member) {
    row(say(name), [&](std::size_t i) { return fmt::format("{:.4f}", all[i].*member); });
  };
  row(say(Message::data_examples), [&](std::size_t i) { return parts[i].data.size(); });
  figure(Message::data_mean, &Figures::mean);
  figure(Message::data_deviation, &Figures::deviation);
  figure(Message::data_min, &Figures::min);
  figure(Message::data_max, &Figures::max);
  const std::vector<std::string>& classes = parts.front().data.classes();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    row(classes[c], [&](std::size_t i) { return all[i].counts[c]; });
  }
  print(text);
  return kOk;
}

// The examples asked for: from `index` on, of the wanted class alone.
std::vector<Index> chosen(const Dataset& data, const DataOptions& options, Index count) {
  std::optional<Index> wanted;
  if (!options.label.empty()) {
    const auto at = std::find(data.classes().begin(), data.classes().end(), options.label);
    if (at == data.classes().end()) throw UsageError(say(Message::data_no_class, data.name(), options.label));
    wanted = static_cast<Index>(at - data.classes().begin());
  }
  if (options.index >= data.size()) {
    throw UsageError(say(Message::data_no_example, options.part, data.size(), options.index));
  }
  const std::vector<Index> targets = data.targets().to_vector<Index>();
  std::vector<Index> out;
  for (Index i = options.index; i < data.size() && static_cast<Index>(out.size()) < count; ++i) {
    if (!wanted || targets[static_cast<std::size_t>(i)] == *wanted) out.push_back(i);
  }
  return out;
}

// As many rows as columns, a pixel of white between the pictures; ink is drawn dark.
Image grid_of(const Dataset& data, const std::vector<Index>& examples) {
  const auto count = static_cast<Index>(examples.size());
  const auto columns = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(count))));
  const Index rows = (count + columns - 1) / columns;
  const Index height = data.sample_shape()[1];
  const Index width = data.sample_shape()[2];
  Image out{
      .width = columns * (width + 1) + 1, .height = rows * (height + 1) + 1, .channels = 1, .pixels = {}};
  out.pixels.assign(static_cast<std::size_t>(out.width * out.height), 255);
  for (Index n = 0; n < count; ++n) {
    const auto* from =
        data.inputs().data<std::uint8_t>() + examples[static_cast<std::size_t>(n)] * height * width;
    const Index top = n / columns * (height + 1) + 1;
    const Index left = n % columns * (width + 1) + 1;
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        const Index at = (top + y) * out.width + left + x;
        out.pixels[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(255 - from[y * width + x]);
      }
    }
  }
  return out;
}

int run_show(const DataOptions& options) {
  const std::vector<Part> parts = parts_of(options.name);
  const Dataset& data = options.part == "train" ? parts[0].data : parts[1].data;
  const bool picture = !options.picture.empty();
  const Index count = options.count > 0 ? options.count : picture ? 100 : 3;
  const std::vector<Index> examples = chosen(data, options, count);
  if (examples.empty()) throw Error(say(Message::data_none, options.part, options.label));
  if (picture) write_png(options.picture, grid_of(data, examples));
  const std::vector<Index> targets = data.targets().to_vector<Index>();
  Json shown = Json::array();
  std::string text;
  for (const Index i : examples) {
    const std::string& label = data.classes()[static_cast<std::size_t>(targets[static_cast<std::size_t>(i)])];
    const Tensor pixels =
        reshape(data.slice(i, 1).inputs(), {data.sample_shape()[1], data.sample_shape()[2]});
    shown.push_back({{"index", i}, {"label", label}});
    if (options.json) shown.back()["pixels"] = pixels.to_vector<std::uint8_t>();
    text += say(Message::data_example, options.part, i, label) + '\n' + drawing(pixels, true);
  }
  if (options.json) {
    print(Json{{"name", options.name}, {"part", options.part}, {"examples", shown}}.dump() + '\n');
  } else {
    print(picture ? say(Message::data_picture, examples.size(), options.picture) + '\n' : text);
  }
  return kOk;
}

int run_fetch(const DataOptions& options) {
  const KnownData* listed = known(options.name);
  if (listed == nullptr) throw UsageError(say(Message::data_nothing_to_fetch, options.name));
  KnownData data = *listed;
  const std::vector<std::string> folders = data_folders();
  if (folders.empty()) throw UsageError(say(Message::data_nowhere));
  DownloadOptions how;
  if (options.mirror) {
    const std::string& mirror = *options.mirror;
    data.mirrors = {mirror.ends_with('/') ? mirror : mirror + '/'};
    how.allow_loopback_http = mirror.starts_with("http://127.0.0.1:");
    if (!how.allow_loopback_http && !mirror.starts_with("https://"))
      throw UsageError(say(Message::data_bad_mirror, mirror));
  }
  const bool live = is_terminal(STDERR_FILENO);
  interrupted();  // Ctrl-C ends a download in good order
  how.progress = [&](const PinnedFile& file, std::uint64_t received) {
    const std::uint64_t percent_now = received * 100 / file.size;
    if (live) print_progress(fmt::format("\r{:<32} {:>3} %", file.name, percent_now));
    if (received == file.size) print_progress((live ? "\n" : file.name + '\n'));
    return !interrupted();
  };
  const int fetched = fetch_data(data, folders.front(), how);
  const std::string folder = join(folders.front(), '/', data.name);
  if (options.json) {
    print(Json{{"name", data.name}, {"folder", folder}, {"downloaded", fetched}}.dump(2) + '\n');
  } else {
    print(say(Message::data_fetched, data.name, folder, fetched) + '\n');
  }
  return kOk;
}

}  // namespace

void add_data(Command root) {
  Command command = root.add("data", Message::data_help, Message::data_command_example);
  command.require_command();
  const auto options = std::make_shared<DataOptions>();
  const auto add = [&](const char* name, Message help, Message example, int (*run)(const DataOptions&)) {
    Command sub = command.add(name, help, example);
    sub.add_json(options->json);
    sub.runs([options, run] { return run(*options); });
    return sub;
  };
  const auto named = [&](Command sub) {
    sub.option("name", options->name, Message::data_name, "NAME").required().one_of(kNames);
  };
  add("list", Message::data_list_help, Message::data_list_example, run_list);
  named(add("info", Message::data_info_help, Message::data_info_example, run_info));
  Command show = add("show", Message::data_show_help, Message::data_show_example, run_show);
  named(show);
  show.option("--part", options->part, Message::data_show_part, "PART").one_of({"train", "test"});
  show.option("--index", options->index, Message::data_show_index, "N").not_negative();
  show.option("--class", options->label, Message::data_show_class, "CLASS");
  show.option("--count", options->count, Message::data_show_count, "N").between(1, 10'000);
  show.option("-o,--output", options->picture, Message::data_show_output, "FILE.png");
  named(add("stats", Message::data_stats_help, Message::data_stats_example, run_stats));
  Command fetch = add("fetch", Message::data_fetch_help, Message::data_fetch_example, run_fetch);
  named(fetch);
  fetch.option("--mirror", options->mirror, Message::data_fetch_mirror, "URL");
}

}  // namespace splot::cli
