#include "splot/data/image_folder.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "splot/core/error.h"
#include "splot/data/image.h"
#include "splot/data/internal/codecs.h"
#include "splot/data/internal/picture_files.h"
#include "splot/data/internal/workers.h"
#include "splot/data/resize.h"

namespace splot {
namespace data_detail {

// Lets several decode at once as long as they need little memory together.
class DecodingMemory {
 public:
  class Share {
   public:
    Share(DecodingMemory& all, std::uint64_t bytes) : all_(all), bytes_(bytes) {
      std::unique_lock lock(all_.mutex_);
      all_.changed_.wait(lock, [&] { return all_.used_ == 0 || all_.used_ + bytes_ <= kMost; });
      all_.used_ += bytes_;
    }
    ~Share() {
      const std::lock_guard lock(all_.mutex_);
      all_.used_ -= bytes_;
      all_.changed_.notify_all();
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    DecodingMemory& all_;
    std::uint64_t bytes_;
  };

 private:
  static constexpr std::uint64_t kMost = std::uint64_t{128} << 20;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t used_ = 0;
};

enum class Part { train, validation, test };

}  // namespace data_detail

namespace {

using data_detail::DecodingMemory;
using data_detail::Part;

// What a folder above the classes is called; nothing for any other name.
std::optional<Part> part_named(std::string_view folder) {
  if (folder == "train") return Part::train;
  if (folder == "test") return Part::test;
  if (folder == "val" || folder == "valid" || folder == "validation") return Part::validation;
  return std::nullopt;
}

std::vector<std::string_view> folders_of(std::string_view name) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0, end; (end = name.find('/', at)) != name.npos; at = end + 1) {
    out.push_back(name.substr(at, end - at));
  }
  return out;
}

// How many leading folders all names share, one at least being left.
std::size_t shared_depth(const std::vector<std::string>& names) {
  std::vector<std::string_view> shared = folders_of(names.front());
  for (const std::string& name : names) {
    const std::vector<std::string_view> folders = folders_of(name);
    const auto [end, ignored] = std::mismatch(shared.begin(), shared.end(), folders.begin(), folders.end());
    shared.erase(end, shared.end());
    shared.resize(std::min(shared.size(), std::max<std::size_t>(folders.size(), 1) - 1));
  }
  return shared.size();
}

}  // namespace

struct ImageFolder::State {
  State(std::string given_path, const ImageFolderOptions& given)
      : path(std::move(given_path)),
        options(given),
        files(path, std::max(given.memory_limit, TarOptions().unpacked_limit)) {}

  void sort_into_classes();
  const std::string& title() const { return options.name.empty() ? path : options.name; }
  Shape sample() const;
  void decode(Index picture, const Shape& sample, std::uint8_t* to) const;

  std::string path;
  ImageFolderOptions options;
  data_detail::PictureFiles files;
  std::vector<std::string> names;
  std::vector<std::string> classes;
  std::vector<Index> labels;
  std::vector<Part> parts;  // of each picture; empty: the folders are no parts
  mutable DecodingMemory memory;
};

namespace {

void check_options(const ImageFolderOptions& o) {
  require<ValueError>(o.channels == 1 || o.channels == 3, "ImageFolder", "channels must be 1 or 3, got ",
                      o.channels);
  constexpr Index kMost = 65'535;
  const bool sized = o.height >= 1 && o.width >= 1 && o.height <= kMost && o.width <= kMost;
  require<ValueError>(sized || (o.height == 0 && o.width == 0), "ImageFolder", "the size ", o.width, " x ",
                      o.height, " is not from 1 to ", kMost, ", nor 0 x 0: as the pictures are");
  require<ValueError>(o.threads >= 0, "ImageFolder", "threads must be 0 or more, got ", o.threads);
}

std::string_view folder_at(const std::string& name, std::size_t depth) {
  const std::vector<std::string_view> folders = folders_of(name);
  return depth < folders.size() ? folders[depth] : std::string_view();
}

}  // namespace

void ImageFolder::State::sort_into_classes() {
  const std::vector<std::string>& all = files.names();
  require<ValueError>(!all.empty(), "ImageFolder", '"', path,
                      "\" holds no pictures: nothing in it ends in .png, .jpg or .jpeg");
  std::size_t depth = shared_depth(all);
  const auto in_parts = [&](std::size_t at) {
    bool train = false;
    for (const std::string& name : all) {
      const std::optional<Part> part = part_named(folder_at(name, at));
      if (!part || folder_at(name, at + 1).empty()) return false;
      train = train || *part == Part::train;
    }
    return train;
  };
  // "train" alone is shared by all, and was passed over.
  const bool parted = in_parts(depth);
  if (parted) ++depth;
  std::map<std::string, std::vector<std::string>> by_class;
  for (const std::string& name : all) {
    const std::string_view folder = folder_at(name, depth);
    require<ValueError>(!folder.empty(), "ImageFolder", '"', files.title(name),
                        "\" is in no folder that could be its class");
    by_class[std::string(folder)].push_back(name);
  }
  for (const auto& [name, members] : by_class) {
    for (const std::string& member : members) {
      names.push_back(member);
      labels.push_back(static_cast<Index>(classes.size()));
      if (parted) parts.push_back(*part_named(folder_at(member, depth - 1)));
    }
    classes.push_back(name);
  }
}

namespace {

Image decode_file(const data_detail::PictureFiles& files, const std::string& name, Index channels,
                  DecodingMemory& memory) {
  const std::vector<std::uint8_t> bytes = files.read(name);
  // A progressive JPEG takes up to six bytes of a pixel beside the three that come out.
  const DecodingMemory::Share share(memory, 9 * data_detail::claimed_pixels(bytes));
  return decode_image(bytes, files.title(name),
                      {.channels = channels, .transparency = Transparency::ignored});
}

Image with_size(const Image& picture, Index height, Index width, ImageFit fit) {
  if (picture.width == width && picture.height == height) return picture;
  return fit == ImageFit::crop ? fitted(picture, width, height) : resized(picture, width, height);
}

// Channel by channel instead of pixel by pixel.
void put_planes(const Image& image, std::uint8_t* to) {
  const Index plane = image.width * image.height;
  for (Index c = 0; c < image.channels; ++c) {
    const std::uint8_t* from = image.pixels.data() + c;
    for (Index i = 0; i < plane; ++i) *to++ = from[i * image.channels];
  }
}

}  // namespace

// Of one example.
Shape ImageFolder::State::sample() const {
  if (options.height > 0) return {options.channels, options.height, options.width};
  const Image first = decode_file(files, names.front(), options.channels, memory);
  return {options.channels, first.height, first.width};
}

void ImageFolder::State::decode(Index picture, const Shape& sample, std::uint8_t* to) const {
  const std::string& name = names[static_cast<std::size_t>(picture)];
  Image image = decode_file(files, name, options.channels, memory);
  const Index height = sample[1];
  const Index width = sample[2];
  if (image.width != width || image.height != height) {
    require<ValueError>(options.height > 0, "ImageFolder", '"', files.title(name), "\" is ", image.width,
                        " x ", image.height, ", \"", files.title(names.front()), "\" ", width, " x ", height,
                        ": pictures of different sizes need a size to be brought to");
    image = with_size(image, height, width, options.fit);
  }
  put_planes(image, to);
}

namespace {

// Decodes what a batch asks for, and keeps as much as fits: those that come first. Which they are matters
// little, since every epoch asks for each picture once; whoever kept the latest would always miss.
template <typename State>
class PicturesOnDemand final : public BatchSource {
 public:
  PicturesOnDemand(std::shared_ptr<const State> state, std::vector<Index> pictures, const Shape& sample,
                   std::uint64_t cache)
      : state_(std::move(state)),
        pictures_(std::move(pictures)),
        sample_(sample),
        each_(static_cast<std::size_t>(sample.numel())),
        room_(cache / each_) {}

  Index size() const override { return static_cast<Index>(pictures_.size()); }

  Batch read(std::span<const Index> indices) override {
    const auto n = static_cast<Index>(indices.size());
    const Tensor inputs = Tensor::empty({n, sample_[0], sample_[1], sample_[2]}, kUInt8);
    const Tensor targets = Tensor::empty({n}, kInt64);
    auto* pixels = static_cast<std::uint8_t*>(inputs.impl()->storage->data());
    auto* labels = static_cast<std::int64_t*>(targets.impl()->storage->data());
    data_detail::for_each_on_threads(n, state_->options.threads, [&](Index i) {
      const auto at = static_cast<std::size_t>(i);
      const Index picture = pictures_[static_cast<std::size_t>(indices[at])];
      std::uint8_t* to = pixels + at * each_;
      const auto kept = kept_.find(picture);
      if (kept != kept_.end()) {
        std::copy(kept->second.begin(), kept->second.end(), to);
      } else {
        state_->decode(picture, sample_, to);
      }
      labels[i] = state_->labels[static_cast<std::size_t>(picture)];
    });
    for (std::size_t i = 0; i < indices.size() && kept_.size() < room_; ++i) {
      const std::uint8_t* from = pixels + i * each_;
      kept_.try_emplace(pictures_[static_cast<std::size_t>(indices[i])], from, from + each_);
    }
    return {inputs, targets};
  }

 private:
  std::shared_ptr<const State> state_;
  std::vector<Index> pictures_;
  Shape sample_;
  std::size_t each_;
  std::size_t room_;  // for so many pictures
  std::map<Index, std::vector<std::uint8_t>> kept_;
};

}  // namespace

Tensor picture_tensor(const Image& picture, Index height, Index width, ImageFit fit) {
  const Image sized = with_size(picture, height, width, fit);
  require<ValueError>(static_cast<Index>(sized.pixels.size()) == sized.width * sized.height * sized.channels,
                      "picture_tensor", "a picture of ", sized.width, " x ", sized.height, " x ",
                      sized.channels, " cannot have ", sized.pixels.size(), " bytes");
  Tensor out = Tensor::empty({sized.channels, height, width}, kUInt8);
  put_planes(sized, static_cast<std::uint8_t*>(out.impl()->storage->data()));
  return out;
}

ImageFolder::ImageFolder(std::string path, const ImageFolderOptions& options) {
  check_options(options);
  const auto state = std::make_shared<State>(std::move(path), options);
  state->sort_into_classes();
  state_ = state;
}

Index ImageFolder::size() const { return static_cast<Index>(state_->names.size()); }
const std::vector<std::string>& ImageFolder::classes() const { return state_->classes; }
const std::vector<Index>& ImageFolder::labels() const { return state_->labels; }
const std::vector<std::string>& ImageFolder::names() const { return state_->names; }
bool ImageFolder::has_parts() const { return !state_->parts.empty(); }

Dataset ImageFolder::dataset() const {
  std::vector<Index> all(state_->names.size());
  std::iota(all.begin(), all.end(), Index{0});
  return dataset(all);
}

Dataset ImageFolder::dataset(std::span<const Index> pictures) const {
  for (const Index i : pictures) {
    require<IndexError>(i >= 0 && i < size(), "ImageFolder", "there is no picture ", i, " of ", size());
  }
  const Shape sample = state_->sample();
  const auto each = static_cast<std::uint64_t>(sample.numel());
  const auto all = static_cast<std::uint64_t>(size());
  const auto n = static_cast<Index>(pictures.size());
  const std::uint64_t limit = state_->options.memory_limit;
  if (n > 0 && each > limit / all) {
    // Parts of one folder share the memory; the quotient first, for the product may not fit into 64 bits.
    const std::uint64_t cache = limit / all * static_cast<std::uint64_t>(n);
    auto source = std::make_shared<PicturesOnDemand<State>>(
        state_, std::vector<Index>(pictures.begin(), pictures.end()), sample, cache);
    return Dataset(state_->title(), std::move(source), state_->classes, {.divisor = 255.0});
  }
  const Tensor inputs = Tensor::empty({n, sample[0], sample[1], sample[2]}, kUInt8);
  auto* pixels = static_cast<std::uint8_t*>(inputs.impl()->storage->data());
  std::vector<std::int64_t> targets(pictures.size());
  data_detail::for_each_on_threads(n, state_->options.threads, [&](Index i) {
    const auto at = static_cast<std::size_t>(i);
    state_->decode(pictures[at], sample, pixels + at * each);
    targets[at] = state_->labels[static_cast<std::size_t>(pictures[at])];
  });
  return Dataset(state_->title(), inputs, Tensor::from(targets, {n}), state_->classes, {.divisor = 255.0});
}

Image ImageFolder::picture(Index number) const {
  require<IndexError>(number >= 0 && number < size(), "ImageFolder", "there is no picture ", number, " of ",
                      size());
  return decode_file(state_->files, state_->names[static_cast<std::size_t>(number)], state_->options.channels,
                     state_->memory);
}

DataSplits ImageFolder::split(const SplitOptions& options) const {
  const SplitIndices all = parts(options);
  return {dataset(all.train), dataset(all.validation), dataset(all.test)};
}

SplitIndices ImageFolder::parts(const SplitOptions& options) const {
  const State& s = *state_;
  if (s.parts.empty()) return split_indices(s.labels, options);
  std::map<Part, std::vector<Index>> given;
  for (std::size_t i = 0; i < s.parts.size(); ++i) given[s.parts[i]].push_back(static_cast<Index>(i));
  // Folders that are there are not cut.
  SplitOptions rest = options;
  if (!given[Part::validation].empty()) rest.validation = 0.0;
  if (!given[Part::test].empty()) rest.test = 0.0;
  std::vector<Index> labels;
  for (const Index i : given[Part::train]) labels.push_back(s.labels[static_cast<std::size_t>(i)]);
  SplitIndices cut = split_indices(labels, rest);
  for (std::vector<Index>* part : {&cut.train, &cut.validation, &cut.test}) {
    for (Index& i : *part) i = given[Part::train][static_cast<std::size_t>(i)];
  }
  if (rest.validation == 0.0) cut.validation = given[Part::validation];
  if (rest.test == 0.0) cut.test = given[Part::test];
  return cut;
}

}  // namespace splot
