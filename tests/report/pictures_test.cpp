#include "splot/report/pictures.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "splot/models/resnet.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/pooling_layers.h"
#include "splot/nn/resize_layers.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/report/report.h"

#include "tests/report/sound_markup.h"

namespace splot {
namespace {

Sequential small_net(Index channels) {
  Sequential net;
  net.add("conv1", Conv2d(channels, 4, Ints{3}, {.same = true}));
  net.add("relu1", ReLU());
  net.add("pool1", MaxPool2d(Ints{2}));
  net.add("conv2", Conv2d(4, 6, Ints{3}, {.dilation = Ints{2}}));
  net.add("norm2", BatchNorm2d(6));
  net.add("mean", GlobalAvgPool());
  net.add("drop", Dropout({.p = 0.5}));
  net.add("head", Linear(6, 2));
  initialize(net, 3);
  return net;
}

// Light ones are of class 1; every fourth is of the other brightness.
Dataset pictures(Index channels, Index count = 12, Index side = 16) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < count; ++i) {
    const bool light = i % 2 == 1;
    classes.push_back(light ? 1 : 0);
    for (Index p = 0; p < channels * side * side; ++p) {
      bytes.push_back(static_cast<std::uint8_t>((light != (i % 4 == 3) ? 180 : 20) + (i * 7 + p) % 40));
    }
  }
  return {"pictures",
          Tensor::from(bytes, {count, channels, side, side}),
          Tensor::from(classes, {count}),
          {"dark", "light"},
          {.divisor = 255.0}};
}

TEST(ReceptiveFields, GrowWithKernelsAndStrides) {
  Sequential net = small_net(3);
  const std::vector<ReceptiveField> fields = receptive_fields(net, {3, 64, 40});
  const auto text = [&](std::size_t i) {
    const ReceptiveField& f = fields[i];
    return f.whole ? f.layer + " whole" : join(f.layer, ' ', f.height, 'x', f.width);
  };
  ASSERT_EQ(fields.size(), 8u);
  EXPECT_EQ(text(0), "conv1 3x3");
  EXPECT_EQ(text(1), "relu1 3x3");
  EXPECT_EQ(text(2), "pool1 4x4");    // two windows of 3, one apart
  EXPECT_EQ(text(3), "conv2 12x12");  // 4 + (3 - 1) dilation 2, steps of 2
  EXPECT_EQ(text(4), "norm2 12x12");
  EXPECT_EQ(text(5), "mean whole");
  EXPECT_EQ(text(6), "drop whole");
  EXPECT_EQ(text(7), "head whole");
  EXPECT_TRUE(receptive_fields(net, {48}).empty());
}

TEST(ReceptiveFields, OfBranchesTheWidestCounts) {
  Sequential net = models::resnet({.depth = 20});
  const std::vector<ReceptiveField> fields = receptive_fields(net, {3, 128, 128});
  const auto width = [&](const std::string& layer) {
    for (const ReceptiveField& field : fields) {
      if (field.layer == layer) return field.whole ? Index{-1} : field.width;
    }
    return Index{0};
  };
  EXPECT_EQ(width("conv1"), 3);
  EXPECT_EQ(width("layer1.0.conv2"), 7);
  EXPECT_EQ(width("layer1.2.conv2"), 15);
  EXPECT_EQ(width("layer2.0.conv1"), 17);
  EXPECT_EQ(width("layer2.0.conv2"), 21);  // steps of 2
  EXPECT_EQ(width("layer2.2.conv2"), 37);
  EXPECT_EQ(width("layer3.2.conv2"), 81);
  EXPECT_EQ(width("fc"), -1);
}

TEST(ReceptiveFields, OfInterpolatedNumbersAreTheirNeighbours) {
  Sequential net(Conv2d(1, 2, Ints{3}), Upsample({2}, {.mode = ResizeMode::nearest}), Conv2d(2, 2, Ints{3}),
                 Pad2d({1}), Resize({30, 60}), Conv2d(2, 1, Ints{3}));
  const std::vector<ReceptiveField> fields = receptive_fields(net, {1, 64, 40});
  ASSERT_EQ(fields.size(), 6u);
  const auto text = [&](std::size_t i) {
    return fields[i].whole ? "whole" : join(fields[i].height, 'x', fields[i].width);
  };
  EXPECT_EQ(text(1), "3x3");
  EXPECT_EQ(text(2), "4x4");  // 3 + (3 - 1) steps of a half
  EXPECT_EQ(text(3), "4x4");
  EXPECT_EQ(text(4), "5x5");  // between two: 4 + 1/2, rounded
  EXPECT_EQ(text(5), "9x6");  // 4.5 + 2 steps of 124 / 30 / 2 and of 76 / 60 / 2
}

// Which pixels a number depends on, found by changing them.
TEST(ReceptiveFields, AreThePixelsThatMatter) {
  Sequential net(Conv2d(1, 2, Ints{5}, {.stride = Ints{2}, .padding = Ints{2}}), Tanh(),
                 AvgPool2d(Ints{3}, {.stride = Ints{2}}), Conv2d(2, 1, Ints{2}));
  initialize(net, 5);
  const Index side = 41;
  const Tensor x = full({1, 1, side, side}, 0.3);
  const Tensor y = net(x);
  const Index middle = y.shape()[2] / 2;
  const auto number = [&](const Tensor& out) {
    return select(select(select(select(out, 0, 0), 0, 0), 0, middle), 0, middle).item<double>();
  };
  Index first = side, last = 0;
  for (Index column = 0; column < side; ++column) {
    std::vector<float> values(static_cast<std::size_t>(side * side), 0.3f);
    for (Index row = 0; row < side; ++row) values[static_cast<std::size_t>(row * side + column)] = 2.0f;
    if (number(net(Tensor::from(values, {1, 1, side, side}))) == number(y)) continue;
    first = std::min(first, column);
    last = std::max(last, column);
  }
  EXPECT_EQ(receptive_fields(net, {1, side, side}).back().width, last - first + 1);
}

TEST(FeatureMaps, AreThoseOfTheLastLayerOfEachSize) {
  Sequential net = small_net(3);
  const std::vector<FeatureMaps> maps = feature_maps(net, pictures(3), 1, 3);
  ASSERT_EQ(maps.size(), 3u);
  EXPECT_EQ(maps[0].layer, "relu1");
  EXPECT_EQ(maps[0].filters, 4);
  EXPECT_EQ(maps[0].maps.size(), 3u);
  EXPECT_EQ(maps[0].maps[0].width, 16);
  EXPECT_EQ(maps[1].layer, "pool1");
  EXPECT_EQ(maps[2].layer, "norm2");
  EXPECT_EQ(maps[2].maps[0].width, 4);
  // From its lowest number to its highest.
  for (const Image& map : maps[2].maps) {
    EXPECT_EQ(*std::min_element(map.pixels.begin(), map.pixels.end()), 0);
    EXPECT_EQ(*std::max_element(map.pixels.begin(), map.pixels.end()), 255);
  }
}

TEST(ChangedPictures, AreThoseThatTrainingSees) {
  const Dataset plain = pictures(3);
  EXPECT_TRUE(changed_pictures(plain, 1).empty());
  const Dataset data =
      plain
          .with_preprocessing(
              {.divisor = 255.0, .means = {0.5, 0.25, 0.1}, .deviations = {0.3, 0.2, 0.7}, .shared = 256})
          .with_transforms({{.name = "shift", .x = 5, .y = 5, .fill = 255}});
  const std::vector<ChangedPicture> rows = changed_pictures(data, 9, 2, 3);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].number, 0);
  EXPECT_EQ(rows[1].number, 1) << "of another class";
  ASSERT_EQ(rows[1].after.size(), 3u);
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
    // The same without the preprocessing that was undone.
    const Tensor seen = plain.with_preprocessing({})
                            .with_transforms(data.transforms())
                            .transformed(std::vector<Index>{1}, 9, epoch)
                            .inputs;
    EXPECT_EQ(rows[1].after[epoch - 1].pixels, picture_of(cast(select(seen, 0, 0), kUInt8))->pixels);
  }
  EXPECT_NE(rows[1].after[0].pixels, rows[1].after[1].pixels);
}

TEST(ContactSheet, PutsPicturesSideBySide) {
  const Image grey{1, 2, 1, {10, 20}};
  const Image red{2, 1, 3, {200, 0, 0, 201, 0, 0}};
  const Image sheet = contact_sheet({grey, red, grey}, 2);
  EXPECT_EQ(sheet.width, 5);
  EXPECT_EQ(sheet.height, 5);
  EXPECT_EQ(sheet.channels, 3);
  const auto at = [&](Index x, Index y) { return sheet.pixels[static_cast<std::size_t>((y * 5 + x) * 3)]; };
  EXPECT_EQ(at(0, 1), 20);
  EXPECT_EQ(at(2, 0), 128) << "the line between";
  EXPECT_EQ(at(4, 0), 201);
  EXPECT_EQ(at(0, 3), 10);
  EXPECT_EQ(contact_sheet({}, 3).pixels.size(), 1u);
  EXPECT_EQ(thumbnail(Image{64, 16, 1, std::vector<std::uint8_t>(1024, 7)}, 32).height, 8);
}

TEST(HeatPicture, IsRedAboveZeroAndBlueBelow) {
  const Image picture{3, 1, 1, {100, 100, 100}};
  const Image heat = heat_picture(picture, tensor({{4.0f, 0.0f, -4.0f}}));
  EXPECT_GT(heat.pixels[0], 200);
  EXPECT_LT(heat.pixels[2], 100);
  EXPECT_EQ(heat.pixels[3], heat.pixels[5]) << "grey where nothing matters";
  EXPECT_LT(heat.pixels[6], 100);
  EXPECT_GT(heat.pixels[8], 200);
  EXPECT_EQ(heat_picture(picture, zeros({1, 3})).pixels[0], 75);
  EXPECT_THROW(heat_picture(picture, zeros({3, 1})), ShapeError);
}

TEST(Filters, OfAFirstConvolutionAreShown) {
  Sequential net = small_net(3);
  const WeightPictures colour = first_weights(net, {3, 16, 16});
  EXPECT_TRUE(colour.filters);
  EXPECT_TRUE(colour.colour);
  ASSERT_EQ(colour.images.size(), 4u);
  EXPECT_EQ(colour.images[0].width, 3);
  EXPECT_EQ(colour.values[0].size(), 27u);
  const std::string csv = to_csv(colour, 1);
  EXPECT_EQ(csv.rfind("unit,red_y0x0,red_y0x1,", 0), 0u) << csv;
  EXPECT_NE(csv.find(",blue_y2x2\n0,"), csv.npos) << csv;
  // Lighter than grey where the weight is above 0.
  const float first = named_parameters(net).front().parameter.value().to_vector<float>()[0];
  EXPECT_EQ(colour.images[0].pixels[0] > 127, first > 0.0f);
  Sequential grey = small_net(1);
  EXPECT_FALSE(first_weights(grey, {1, 16, 16}).colour);
  EXPECT_EQ(first_weights(grey, {1, 16, 16}).values[0].size(), 9u);
}

// A network that answers by brightness alone.
class Brightness final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    const Tensor mean = splot::mean(flatten(x, 1), Axes{1}, true);
    return concat({0.5f - mean, mean - 0.5f}, 1) * 20.0f;
  }
};

TEST(Examine, GathersPicturesByClassAndByConfusion) {
  Brightness net;
  const Examination seen = examine(net, pictures(3), "test", "cross_entropy", {.by_class = 2});
  ASSERT_EQ(seen.by_class.size(), 4u);
  EXPECT_EQ(seen.by_class[0].number, 0);
  EXPECT_EQ(seen.by_class[1].number, 2);
  EXPECT_EQ(seen.by_class[2].number, 1);
  EXPECT_TRUE(seen.by_class[2].picture.has_value());
  // Dark ones are all known; of the light ones every second is dark.
  ASSERT_EQ(seen.cells.size(), 3u);
  EXPECT_EQ(seen.cells[0].target, 0);
  EXPECT_EQ(seen.cells[0].predicted, 0);
  EXPECT_EQ(seen.cells[1].target, 1);
  EXPECT_EQ(seen.cells[1].predicted, 0);
  EXPECT_EQ(seen.cells[1].number % 4, 3);
  for (const SeenExample& worst : seen.worst) EXPECT_LE(worst.confidence, seen.cells[1].confidence);
  EXPECT_TRUE(examine(net, pictures(3), "test", "cross_entropy", {.cells_classes = 1}).cells.empty());
}

TEST(Report, ShowsWhatPicturesCanShow) {
  Sequential net = small_net(3);
  const Dataset data = pictures(3).with_transforms({{.name = "flip", .p = 1.0}});
  RunReport report;
  report.run.folder = "runs/test";
  report.seen = examine(net, data, "test", "cross_entropy");
  report.weights = first_weights(net, {3, 16, 16});
  report.layers = summarize(net, {3, 16, 16});
  report.fields = receptive_fields(net, {3, 16, 16});
  report.changed = changed_pictures(data, 1);
  const SeenExample& first = report.seen->by_class.front();
  report.causes.push_back({first, heat_picture(*first.picture, ones({16, 16})), {}});
  report.maps.push_back({report.seen->by_class.front(), feature_maps(net, data, 0)});
  const std::string html = report_html(report);
  const std::size_t body = html.find("<body>");
  EXPECT_EQ(test::markup_fault(std::string_view(html).substr(body, html.size() - 8 - body)), "");
  for (const char* id : {"mosaic", "causes", "changed", "weights", "maps", "figure-class-accuracy"}) {
    EXPECT_NE(html.find(join("id=\"", id, '"')), html.npos) << id;
  }
  EXPECT_NE(html.find("<table class=\"cells\">"), html.npos);
  EXPECT_NE(html.find("<td>12 x 12</td>"), html.npos);
  EXPECT_NE(html.find("filter 3"), html.npos);
}

}  // namespace
}  // namespace splot
