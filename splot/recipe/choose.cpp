#include "splot/recipe/choose.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/report/markup.h"

namespace splot {
namespace {

constexpr Index kMostLookedAt = 100;
constexpr Index kMostPixels = 100'000'000;  // looked at together: a second or two
constexpr Index kLeastOfClass = 5;
constexpr Index kFewOfClass = 30;
constexpr Index kManyPictures = 10'000;

Index middle(std::vector<Index> values) {
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  return *half;
}

// However many of them are taken, they are spread evenly: multiples of the golden ratio.
Index spread(Index i, Index all) {
  const double at = static_cast<double>(i) * 0.6180339887498949;
  return std::min(all - 1, static_cast<Index>((at - std::floor(at)) * static_cast<double>(all)));
}

bool is_grey(const Image& picture) {
  if (picture.channels == 1) return true;
  for (std::size_t i = 0; i + 2 < picture.pixels.size(); i += 3) {
    if (picture.pixels[i] != picture.pixels[i + 1] || picture.pixels[i] != picture.pixels[i + 2])
      return false;
  }
  return true;
}

void count_border(const Image& picture, std::array<Index, 256>& counts) {
  const auto row = static_cast<std::size_t>(picture.width * picture.channels);
  const auto pixel = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const bool edge =
        i < row || i + row >= picture.pixels.size() || i % row < pixel || i % row >= row - pixel;
    if (edge) ++counts[picture.pixels[i]];
  }
}

Index middle_level(const std::array<Index, 256>& counts) {
  Index total = 0;
  for (const Index count : counts) total += count;
  Index seen = 0;
  for (std::size_t level = 0; level < counts.size(); ++level) {
    seen += counts[level];
    if (2 * seen >= total) return static_cast<Index>(level);
  }
  return 0;
}

// Letters, numbers and directions: their mirror image is something else.
bool tells_left_from_right(const std::vector<std::string>& classes) {
  bool all_signs = true;
  for (const std::string& name : classes) {
    std::string lower;
    for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (lower.find("left") != lower.npos || lower.find("right") != lower.npos) return true;
    const bool number =
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); });
    all_signs = all_signs && (number || name.size() == 1);
  }
  return all_signs;
}

// "pictures/flowers.tar.gz" -> "flowers"; what no file should be called becomes '-'.
std::string id_of(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path whole = std::filesystem::weakly_canonical(path, ignored);
  if (whole.filename().empty()) whole = whole.parent_path();
  std::string name = whole.filename().string();
  for (const std::string_view ending : {".gz", ".tgz", ".tar"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') c = '-';
  }
  return name.empty() || name == "." ? "pictures" : name;
}

// What is known before anything is chosen.
struct Known {
  PictureSurvey look;
  std::vector<std::string> classes;
  bool test_named = false;  // a folder says which pictures are for testing
  Index train = 0;          // with those that will be for validation
  Index validation = 0;
  Index test = 0;
  Index smallest = 0;  // of the classes in the training part
  std::string smallest_name;
};

class Chooser {
 public:
  explicit Chooser(Known known) : known_(std::move(known)) {}

  ChosenRecipe choose(const std::string& path) {
    Recipe& r = out_.recipe;
    r.id = id_of(path);
    r.title = say(Message::choose_title, r.id);
    r.data.name = "images";
    r.data.folder = path;
    out_.choices.push_back({"data.folder", found()});
    size();
    parts();
    normalise();
    transforms();
    layers();
    training();
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void because(const char* key, Message message, const Args&... args) {
    out_.choices.push_back({key, say(message, args...)});
  }

  std::string found() const {
    const PictureSurvey& look = known_.look;
    return say(Message::choose_found, count_text(known_.train + known_.validation + known_.test),
               known_.classes.size(), look.looked_at, look.width, look.height,
               say(look.grey ? Message::choose_found_grey : Message::choose_found_colour));
  }

  void size() {
    const PictureSurvey& look = known_.look;
    DataRecipe& data = out_.recipe.data;
    const Index side = look.shorter_side;
    if (side < 48) {
      data.size = std::clamp<Index>((side + 2) / 4 * 4, 16, 48);
      because("data.size", Message::choose_size, data.size, side);
    } else if (known_.train > kManyPictures) {
      data.size = 32;
      because("data.size", Message::choose_size_many, data.size, count_text(known_.train));
    } else {
      data.size = 64;
      because("data.size", side > 80 ? Message::choose_size_large : Message::choose_size, data.size, side);
    }
    data.channels = look.grey ? 1 : 3;
    because("data.channels", look.grey ? Message::choose_grey : Message::choose_colour);
    data.fit = look.aspect > 1.6 ? "stretch" : "crop";
    if (look.aspect > 1.6) {
      because("data.fit", Message::choose_stretch, std::round(10.0 * look.aspect) / 10.0);
    } else if (look.aspect > 1.0 || !look.one_size) {
      because("data.fit", Message::choose_crop);
    }
  }

  void parts() {
    if (known_.test_named) {
      because("data.test", Message::choose_test_folder, count_text(known_.test));
    } else {
      because("data.test", Message::choose_test, count_text(known_.test));
    }
    if (known_.validation > 0) {
      because("data.validation", Message::choose_validation_folder, count_text(known_.validation));
      return;
    }
    // Two of each class, so that hardly ever one is missing, but never more than a third.
    const Index least = std::min<Index>(2 * static_cast<Index>(known_.classes.size()), known_.train / 3);
    const Index share = std::max(least, std::min<Index>(known_.train * 15 / 100, 5000));
    out_.recipe.data.validation = share;
    because("data.validation", Message::choose_validation, count_text(share), count_text(known_.train));
    known_.train -= share;
  }

  void normalise() {
    out_.recipe.data.normalise = "channels";
    because("data.normalise", Message::choose_normalise);
  }

  void transforms() {
    DataRecipe& data = out_.recipe.data;
    const Index fill = known_.look.border_level;
    if (data.channels == 1) {
      const double most = std::max(1.0, std::round(static_cast<double>(data.size) / 14.0));
      data.transforms = {{.name = "rotate", .fill = fill},
                         {.name = "scale", .fill = fill},
                         {.name = "shift", .x = most, .y = most, .fill = fill}};
      because("data.transforms", Message::choose_transforms_grey, most);
      return;
    }
    const Index padding = data.size / 8;
    const bool mirrored = !tells_left_from_right(known_.classes);
    if (mirrored) data.transforms.push_back({.name = "flip"});
    data.transforms.push_back({.name = "crop", .padding = padding, .fill = fill});
    because("data.transforms",
            mirrored ? Message::choose_transforms_mirrored : Message::choose_transforms_not_mirrored,
            padding);
  }

  void add(const std::string& type, const std::string& name, const Arguments& arguments = {}) {
    LayerRecipe layer;
    layer.type = type;
    layer.name = name;
    layer.arguments = arguments;
    out_.recipe.model.layers.push_back(std::move(layer));
  }

  // Each block has half the width and height and twice the channels of the one before: all cost the same.
  void layers() {
    const bool large = out_.recipe.data.size >= 48;
    const Index blocks = large ? 4 : 3;
    const Index repeats = known_.train >= kManyPictures ? 2 : 1;
    Index width = large ? 16 : 32;
    Index arriving = out_.recipe.data.channels;
    Index weights = 0;
    std::string filters;
    for (Index block = 1; block <= blocks; ++block) {
      for (Index i = 1; i <= repeats; ++i) {
        const std::string number = repeats == 1 ? join(block) : join(block, i == 1 ? 'a' : 'b');
        Arguments convolution;
        convolution.set("out", width);
        convolution.set("kernel", Ints{3});
        convolution.set("same", true);
        convolution.set("bias", false);  // batch norm takes away the mean, and a bias with it
        add("conv2d", "conv" + number, convolution);
        add("batch_norm2d", "norm" + number);
        add("relu", "relu" + number);
        weights += (9 * arriving + 2) * width;
        arriving = width;
      }
      filters += join(block == 1 ? "" : ", ", width);
      if (block == blocks) break;
      Arguments pool;
      pool.set("kernel", Ints{2});
      add("max_pool2d", join("pool", block), pool);
      width *= 2;
    }
    add("global_avg_pool", "mean");
    Arguments drop;
    drop.set("p", 0.2);
    add("dropout", "dropout", drop);
    Arguments head;
    const auto classes = static_cast<Index>(known_.classes.size());
    head.set("out", classes);
    add("linear", "head", head);
    weights += (arriving + 1) * classes;
    because("model.layers", repeats == 1 ? Message::choose_layers : Message::choose_layers_double, blocks,
            filters, count_text(weights));
  }

  void training() {
    Recipe& r = out_.recipe;
    const Index n = known_.train;
    r.optimizer.name = "adamw";
    r.optimizer.lr = n < 500 ? 0.001 : 0.003;  // small batches are noisy
    r.optimizer.weight_decay = 0.01;
    because("optimizer.name", Message::choose_optimizer);
    r.schedule.name = "one_cycle";
    r.schedule.start = 0.1;
    r.schedule.rise = 0.25;
    because("schedule.name", Message::choose_schedule, r.optimizer.lr);
    r.train.epochs = std::clamp<Index>(60'000 / n, 10, 60);
    because("train.epochs", Message::choose_epochs, r.train.epochs, count_text(n));
    r.train.batch = n < 500 ? 8 : n < 2000 ? 16 : n < kManyPictures ? 32 : 64;
    because("train.batch", Message::choose_batch, r.train.batch, (n + r.train.batch - 1) / r.train.batch);
    r.train.patience = std::max<Index>(5, r.train.epochs / 3);
    because("train.patience", Message::choose_patience, r.train.patience);
    if (known_.smallest < kFewOfClass)
      because("", Message::choose_few, known_.smallest_name, known_.smallest, kFewOfClass);
  }

  Known known_;
  ChosenRecipe out_;
};

Known get_to_know(const ImageFolder& pictures, const std::string& path) {
  Known out;
  out.classes = pictures.classes();
  require<ValueError>(out.classes.size() >= 2, "recipe_for_images", '"', path, "\" has one class, \"",
                      out.classes.front(),
                      "\": pictures of at least two, each in a folder of its own, can be told apart");
  const DataRecipe standard;
  const SplitIndices parts =
      pictures.parts({.test = standard.test, .seed = static_cast<std::uint64_t>(standard.split_seed)});
  std::vector<Index> counts(out.classes.size());
  for (const Index i : parts.train)
    ++counts[static_cast<std::size_t>(pictures.labels()[static_cast<std::size_t>(i)])];
  const auto smallest = std::min_element(counts.begin(), counts.end());
  out.smallest = *smallest;
  out.smallest_name = out.classes[static_cast<std::size_t>(smallest - counts.begin())];
  require<ValueError>(out.smallest >= kLeastOfClass, "recipe_for_images", "class \"", out.smallest_name,
                      "\" of \"", path, "\" has ", out.smallest, out.smallest == 1 ? " picture" : " pictures",
                      " to learn from beside those for testing; ", kLeastOfClass, " is the least, and ",
                      kFewOfClass, " or more are better");
  out.test_named = !pictures.parts({.test = 0.0}).test.empty();
  out.train = static_cast<Index>(parts.train.size());
  out.validation = static_cast<Index>(parts.validation.size());
  out.test = static_cast<Index>(parts.test.size());
  out.look = survey(pictures);
  return out;
}

// A comment of its own lines; whatever could end it early is left out.
std::string comment(std::string_view text) {
  std::string out;
  std::istringstream words{std::string(text)};
  std::string line, word;
  while (words >> word) {
    for (char& c : word) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
    }
    if (line.size() + word.size() > 96) out += "#" + std::exchange(line, "") + '\n';
    line += ' ' + word;
  }
  return out + '#' + line + '\n';
}

}  // namespace

PictureSurvey survey(const ImageFolder& pictures) {
  PictureSurvey out;
  const bool all = pictures.size() <= kMostLookedAt;
  const Index most = all ? pictures.size() : kMostLookedAt;
  std::vector<Index> widths, heights, shorter;
  std::vector<Index> aspects;  // in thousandths
  std::array<Index, 256> border{};
  out.grey = true;
  for (Index pixels = 0; out.looked_at < most && pixels < kMostPixels; ++out.looked_at) {
    const Image picture = pictures.picture(all ? out.looked_at : spread(out.looked_at, pictures.size()));
    pixels += picture.width * picture.height;
    widths.push_back(picture.width);
    heights.push_back(picture.height);
    shorter.push_back(std::min(picture.width, picture.height));
    aspects.push_back(1000 * std::max(picture.width, picture.height) / shorter.back());
    out.grey = out.grey && is_grey(picture);
    count_border(picture, border);
  }
  const auto same = [](const std::vector<Index>& values) {
    return std::all_of(values.begin(), values.end(), [&](Index v) { return v == values.front(); });
  };
  out.one_size = same(widths) && same(heights);
  out.width = middle(widths);
  out.height = middle(heights);
  out.shorter_side = middle(shorter);
  out.aspect = static_cast<double>(middle(aspects)) / 1000.0;
  out.border_level = middle_level(border);
  return out;
}

ChosenRecipe recipe_for_images(const ImageFolder& pictures, const std::string& path) {
  ChosenRecipe out = Chooser(get_to_know(pictures, path)).choose(path);
  // As it will be read from a file: arguments in the same order.
  const std::string id = out.recipe.id;
  out.recipe = parse_recipe(to_toml(out.recipe), path);
  out.recipe.id = id;
  return out;
}

std::string to_toml(const ChosenRecipe& chosen) {
  // "section: key = value" of every key as it is without being written.
  std::set<std::string> usual;
  std::string section;
  const auto each_line = [&](const Recipe& recipe, const auto& take) {
    std::istringstream lines(to_toml(recipe));
    section.clear();
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('[')) section = line;
      take(line);
    }
  };
  each_line(Recipe(), [&](const std::string& line) { usual.insert(section + line); });
  std::string out;
  std::string pending;  // the head of a section that may have nothing to say
  std::set<std::string> said;
  each_line(chosen.recipe, [&](const std::string& line) {
    if (line.empty()) return;
    const bool head = line.starts_with('[');
    const bool listed = section.starts_with("[[");
    const std::string name = section.substr(0, section.find(']'))
                                 .substr(listed            ? 2
                                         : section.empty() ? 0
                                                           : 1);
    const std::string key = head ? name : join(name, name.empty() ? "" : ".", line.substr(0, line.find(' ')));
    std::string why;
    for (const Choice& choice : chosen.choices) {
      if (choice.key == key && said.insert(key).second) why = comment(choice.reason);
    }
    if (head) {
      pending = '\n' + why + line + '\n';
      if (listed) out += std::exchange(pending, "");
      return;
    }
    if (why.empty() && !listed && usual.contains(section + line)) return;
    out += std::exchange(pending, "") + why + line + '\n';
  });
  return out;
}

}  // namespace splot
