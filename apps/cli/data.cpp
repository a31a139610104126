// splot data: which data sets there are, what is in them, and how to get them.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/data/download.h"
#include "splot/data/image.h"
#include "splot/data/image_sets.h"
#include "splot/data/mnist.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"

#include "apps/cli/command.h"
#include "apps/cli/picture.h"

namespace splot::cli {
namespace {

using Json = nlohmann::ordered_json;

// Those that have a name of their own.
const std::vector<std::string> kNames = {"mnist", "fashion-mnist", "digits", "eurosat", "cifar-10"};

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

bool is_named(const std::string& name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string title_of(const std::string& name) {
  if (const KnownData* data = known(name)) return data->title;
  if (name == "eurosat") return say(Message::data_eurosat_title);
  if (name == "cifar-10") return say(Message::data_cifar_title);
  return say(name == "digits" ? Message::data_digits_title : Message::data_images_title);
}

std::string terms_of(const std::string& name) {
  if (const KnownData* data = known(name)) return data->terms;
  if (name == "eurosat") return say(Message::data_eurosat_terms);
  if (name == "cifar-10") return say(Message::data_cifar_terms);
  return say(name == "digits" ? Message::data_no_terms : Message::data_images_terms);
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

// Where it lies on the disk; empty: it does not.
std::string path_of(const std::string& name) {
  if (!is_named(name)) return name;
  const KnownData* data = known(name);
  return data == nullptr ? find_image_set(name) : folder_of(*data);
}

std::string place_of(const std::string& name) {
  if (name == "digits") return say(Message::data_built_in);
  const std::string path = path_of(name);
  if (!path.empty()) return path;
  return say(known(name) == nullptr ? Message::data_missing_by_hand : Message::data_missing, name);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

int run_list(const DataOptions& options) {
  Json all = Json::array();
  std::string text;
  for (const std::string& name : kNames) {
    all.push_back({{"name", name},
                   {"title", title_of(name)},
                   {"built_in", name == "digits"},
                   {"folder", text_or_null(path_of(name))}});
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
  recipe.name = is_named(name) ? name : "images";
  if (!is_named(name)) {
    std::error_code ignored;
    if (!std::filesystem::exists(name, ignored)) throw UsageError(say(Message::data_unknown, name));
    recipe.folder = name;
  }
  RecipeData data = load_data(recipe);
  std::vector<Part> out = {{"train", data.train}};
  if (data.test) out.push_back({"test", *data.test});
  return out;
}

std::vector<Index> sizes(const Shape& shape) { return {shape.begin(), shape.end()}; }

int run_info(const DataOptions& options) {
  const KnownData* data = known(options.name);
  const std::vector<Part> parts = parts_of(options.name);
  const Dataset& first = parts.front().data;
  Json out = {{"name", options.name},
              {"title", title_of(options.name)},
              {"terms", options.name == "digits" ? Json(nullptr) : Json(terms_of(options.name))},
              {"folder", text_or_null(path_of(options.name))},
              {"sample", sizes(first.sample_shape())},
              {"dtype", first.input_dtype().name()},
              {"classes", first.classes()},
              {"examples", Json::object()},
              {"files", Json::array()}};
  std::string classes;
  for (const std::string& c : first.classes()) classes += join(classes.empty() ? "" : ", ", c);
  std::string text = say(Message::data_info, options.name, title_of(options.name), place_of(options.name),
                         terms_of(options.name), first.sample_shape(), first.input_dtype().name(), classes);
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

// Of all numbers, or of one channel.
struct Level {
  double mean = 0.0, deviation = 0.0;
};

struct Figures {
  Level all;
  double min = 0.0, max = 0.0;
  std::vector<Level> channels;  // of pictures in colour
  std::vector<Index> counts;
};

// How often each of the 256 pixels occurs in each channel; the examples may be read on demand.
std::vector<std::array<std::uint64_t, 256>> histograms(const Dataset& data, std::vector<Index>& classes) {
  std::vector<std::array<std::uint64_t, 256>> out(static_cast<std::size_t>(data.sample_shape()[0]));
  const auto each = static_cast<std::size_t>(data.sample_shape().numel()) / out.size();
  for (Index first = 0; first < data.size(); first += 1000) {
    const Batch part = data.stored(first, std::min<Index>(1000, data.size() - first));
    const auto* pixel = part.inputs.data<std::uint8_t>();
    for (Index n = 0; n < part.inputs.shape()[0]; ++n) {
      for (auto& counts : out) {
        for (std::size_t i = 0; i < each; ++i) ++counts[*pixel++];
      }
      ++classes[static_cast<std::size_t>(part.targets.data<std::int64_t>()[n])];
    }
  }
  return out;
}

Level level_of(const std::array<std::uint64_t, 256>& counts) {
  double n = 0.0, sum = 0.0, squares = 0.0;
  for (std::size_t v = 0; v < counts.size(); ++v) {
    n += static_cast<double>(counts[v]);
    sum += static_cast<double>(counts[v]) * static_cast<double>(v);
  }
  for (std::size_t v = 0; v < counts.size(); ++v) {
    const double d = static_cast<double>(v) - sum / n;
    squares += static_cast<double>(counts[v]) * d * d;
  }
  return {sum / n, std::sqrt(squares / n)};
}

Figures figures_of(const Dataset& data) {
  Figures out;
  out.counts.assign(data.classes().size(), 0);
  const auto channels = histograms(data, out.counts);
  std::array<std::uint64_t, 256> all{};
  for (const auto& counts : channels) {
    for (std::size_t v = 0; v < all.size(); ++v) all[v] += counts[v];
    if (channels.size() > 1) out.channels.push_back(level_of(counts));
  }
  out.all = level_of(all);
  const auto occurs = [](std::uint64_t count) { return count > 0; };
  out.min = static_cast<double>(std::find_if(all.begin(), all.end(), occurs) - all.begin());
  out.max = static_cast<double>(all.rend() - std::find_if(all.rbegin(), all.rend(), occurs) - 1);
  return out;
}

int run_stats(const DataOptions& options) {
  Json out = {{"name", options.name}, {"parts", Json::array()}};
  const std::vector<Part> parts = parts_of(options.name);
  std::vector<Figures> all;
  std::size_t width = 15;
  for (const std::string& name : parts.front().data.classes()) width = std::max(width, name.size() + 1);
  std::string head = fmt::format("{:<{}}", say(Message::data_part), width);
  for (const Part& part : parts) {
    const Figures f = all.emplace_back(figures_of(part.data));
    head += fmt::format("{:>12}", part.name);
    Json classes = Json::array();
    for (std::size_t c = 0; c < f.counts.size(); ++c) {
      classes.push_back({{"name", part.data.classes()[c]}, {"examples", f.counts[c]}});
    }
    out["parts"].push_back({{"part", part.name},
                            {"examples", part.data.size()},
                            {"mean", f.all.mean},
                            {"deviation", f.all.deviation},
                            {"min", f.min},
                            {"max", f.max},
                            {"channels", Json::array()},
                            {"classes", classes}});
    for (const Level& level : f.channels) {
      out["parts"].back()["channels"].push_back({{"mean", level.mean}, {"deviation", level.deviation}});
    }
  }
  if (options.json) {
    print(out.dump(2) + '\n');
    return kOk;
  }
  std::string text = head + '\n';
  const auto row = [&](const std::string& name, const auto& value) {
    text += fmt::format("{:<{}}", name, width);
    for (std::size_t i = 0; i < parts.size(); ++i) text += fmt::format("{:>12}", value(i));
    text += '\n';
  };
  const auto figure = [&](const std::string& name, auto value) {
    row(name, [&](std::size_t i) { return fmt::format("{:.4f}", value(all[i])); });
  };
  row(say(Message::data_examples), [&](std::size_t i) { return parts[i].data.size(); });
  figure(say(Message::data_mean), [](const Figures& f) { return f.all.mean; });
  figure(say(Message::data_deviation), [](const Figures& f) { return f.all.deviation; });
  figure(say(Message::data_min), [](const Figures& f) { return f.min; });
  figure(say(Message::data_max), [](const Figures& f) { return f.max; });
  constexpr Message kColors[] = {Message::data_red, Message::data_green, Message::data_blue};
  for (std::size_t c = 0; c < all.front().channels.size(); ++c) {
    figure(say(Message::data_channel_mean, say(kColors[c])),
           [&](const Figures& f) { return f.channels[c].mean; });
    figure(say(Message::data_channel_deviation, say(kColors[c])),
           [&](const Figures& f) { return f.channels[c].deviation; });
  }
  const std::vector<std::string>& classes = parts.front().data.classes();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    row(classes[c], [&](std::size_t i) { return all[i].counts[c]; });
  }
  print(text);
  return kOk;
}

Index class_of(const Dataset& data, Index i) {
  const Tensor targets = data.in_memory() ? data.targets() : data.stored(i, 1).targets;
  return targets.data<std::int64_t>()[data.in_memory() ? i : 0];
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
  std::vector<Index> out;
  for (Index i = options.index; i < data.size() && static_cast<Index>(out.size()) < count; ++i) {
    if (!wanted || class_of(data, i) == *wanted) out.push_back(i);
  }
  return out;
}

// As many rows as columns, a pixel of white between the pictures; grey ones are ink, which is drawn dark.
Image grid_of(const Dataset& data, const std::vector<Index>& examples) {
  const auto count = static_cast<Index>(examples.size());
  const auto columns = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(count))));
  const Index rows = (count + columns - 1) / columns;
  const Shape sample = data.sample_shape();
  const Index channels = sample[0], height = sample[1], width = sample[2];
  Image out{columns * (width + 1) + 1, rows * (height + 1) + 1, channels, {}};
  out.pixels.assign(static_cast<std::size_t>(out.width * out.height * channels), 255);
  for (Index n = 0; n < count; ++n) {
    const Tensor one = data.stored(examples[static_cast<std::size_t>(n)], 1).inputs;
    const auto* from = one.data<std::uint8_t>();
    const Index corner = (n / columns * (height + 1) + 1) * out.width + n % columns * (width + 1) + 1;
    for (Index c = 0; c < channels; ++c) {
      for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < width; ++x, ++from) {
          const Index at = (corner + y * out.width + x) * channels + c;
          out.pixels[static_cast<std::size_t>(at)] =
              static_cast<std::uint8_t>(channels == 1 ? 255 - *from : *from);
        }
      }
    }
  }
  return out;
}

// [height, width], light as ink.
Tensor ink_of(const Tensor& example) {
  const Shape shape = example.shape();
  const Tensor grey = shape[1] == 1 ? example : mean(cast(example, kFloat32), {1});
  return reshape(cast(grey, kUInt8), {shape[2], shape[3]});
}

int run_show(const DataOptions& options) {
  const std::vector<Part> parts = parts_of(options.name);
  const auto part =
      std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.name == options.part; });
  if (part == parts.end()) throw UsageError(say(Message::data_no_part, options.name, options.part));
  const Dataset& data = part->data;
  const bool picture = !options.picture.empty();
  const Index count = options.count > 0 ? options.count : picture ? 100 : 3;
  const std::vector<Index> examples = chosen(data, options, count);
  if (examples.empty()) throw Error(say(Message::data_none, options.part, options.label));
  if (picture) write_png(options.picture, grid_of(data, examples));
  Json shown = Json::array();
  std::string text;
  for (const Index i : examples) {
    const std::string& label = data.classes()[static_cast<std::size_t>(class_of(data, i))];
    const Tensor pixels = data.stored(i, 1).inputs;
    shown.push_back({{"index", i}, {"label", label}});
    if (options.json) shown.back()["pixels"] = pixels.to_vector<std::uint8_t>();
    if (!options.json && !picture) {
      text += say(Message::data_example, options.part, i, label) + '\n' + drawing(ink_of(pixels), true);
    }
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
  if (listed == nullptr) {
    throw UsageError(say(options.name == "digits" ? Message::data_nothing_to_fetch : Message::data_no_mirror,
                         options.name));
  }
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
    sub.option("name", options->name, Message::data_name, "NAME").required();
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
  fetch.option("name", options->name, Message::data_fetch_name, "NAME").required().one_of(kNames);
  fetch.option("--mirror", options->mirror, Message::data_fetch_mirror, "URL");
}

}  // namespace splot::cli
