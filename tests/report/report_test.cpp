#include "splot/report/report.h"

#include <cmath>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"

#include "tests/report/sound_markup.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

const double kNaN = std::nan("");

EpochRecord epoch(Index number, std::vector<Metric> metrics) {
  EpochRecord out;
  out.epoch = number;
  out.metrics = std::move(metrics);
  out.lr = 0.1;
  out.seconds = 0.5;
  return out;
}

// Losses of the training part and of the watched one, epoch by epoch.
std::vector<EpochRecord> losses(const std::vector<std::pair<double, double>>& values,
                                const std::string& watched = "val") {
  std::vector<EpochRecord> out;
  for (const auto& [train, val] : values) {
    out.push_back(epoch(static_cast<Index>(out.size()) + 1, {{"loss", train}, {watched + "_loss", val}}));
  }
  return out;
}

RunReport report_of(std::vector<EpochRecord> history) {
  RunReport out;
  out.run.folder = "runs/test";
  out.run.history = std::move(history);
  return out;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Well-formed, and nothing is asked from outside.
void expect_sound_page(const std::string& html) {
  const std::size_t body = html.find("<body>");
  ASSERT_EQ(html.substr(html.size() - 8), "</html>\n");
  EXPECT_EQ(test::markup_fault(std::string_view(html).substr(body, html.size() - 8 - body)), "");
  EXPECT_FALSE(has(html, "<script"));
  for (const char* address : {"href=\"http", "src=\"http", "href=\"//", "src=\"//", "url(", "@import"}) {
    EXPECT_FALSE(has(html, address)) << address;
  }
}

TEST(Overfitting, BeginsAfterTheLowestWatchedLoss) {
  EXPECT_EQ(overfitting_after(losses({{1.0, 1.0}, {0.5, 0.6}, {0.3, 0.7}, {0.2, 0.8}})), 2);
  EXPECT_EQ(overfitting_after(losses({{1.0, 1.0}, {0.5, 0.6}, {0.3, 0.7}, {0.2, 0.8}}, "test")), 2);
}

TEST(Overfitting, NeedsTwoLaterEpochsAndAFallingTrainingLoss) {
  EXPECT_EQ(overfitting_after(losses({{1.0, 1.0}, {0.5, 0.6}, {0.3, 0.7}})), 0);
  EXPECT_EQ(overfitting_after(losses({{1.0, 1.0}, {0.5, 0.6}, {0.6, 0.7}, {0.7, 0.8}})),
            0);  // both rise: too large steps
  EXPECT_EQ(overfitting_after(losses({{1.0, 1.0}, {0.5, 0.9}, {0.3, 0.8}, {0.2, 0.7}})), 0);
  EXPECT_EQ(overfitting_after(losses({{1.0, 0.5}, {0.5, 0.5}, {0.3, 0.5}, {0.2, 0.5}})),
            0);  // it stays, it does not rise
}

TEST(Overfitting, IsNotSeenWithoutAWatchedSetOrNumbers) {
  EXPECT_EQ(overfitting_after({}), 0);
  EXPECT_EQ(overfitting_after({epoch(1, {{"loss", 1.0}})}), 0);
  EXPECT_EQ(overfitting_after(losses({{1.0, kNaN}, {0.5, kNaN}, {0.3, kNaN}, {0.1, kNaN}})), 0);
  EXPECT_EQ(overfitting_after(losses({{1.0, kNaN}, {0.5, 0.5}, {0.3, 0.6}, {0.1, kNaN}})), 2);
}

TEST(RunRecord, ReadsWhatAFolderSays) {
  const test::TempFolder folder;
  write_file(
      folder.file("metrics.jsonl"),
      "{\"epoch\":1,\"loss\":0.1234567890123456,\"val_loss\":null,\"lr\":0.5,\"seconds\":2,"
      "\"norms\":{\"0.weight\":{\"weight\":1,\"gradient\":2,\"update\":3}},"
      "\"warnings\":[{\"code\":\"dead-relu\",\"where\":\"1\",\"epoch\":1,\"text\":\"half are dead\"}]}\n\n");
  RunRecord run = read_run(folder.path());
  ASSERT_EQ(run.history.size(), 1u);
  EXPECT_EQ(metric(run.history[0].metrics, "loss"), 0.1234567890123456);
  EXPECT_TRUE(std::isnan(metric(run.history[0].metrics, "val_loss")));
  EXPECT_EQ(watched_set(run.history), "val");
  EXPECT_EQ(run.history[0].norms[0].update, 3.0);
  EXPECT_EQ(run.warnings[0].code, "dead-relu");
  EXPECT_EQ(run.best_epoch, 0);
  write_file(folder.file("run.json"),
             "{\"recipe\":\"r\",\"seed\":7,\"best\":{\"epoch\":1},\"threads\":3,"
             "\"metrics\":{\"test\":{\"accuracy\":0.5}}}");
  run = read_run(folder.path());
  EXPECT_EQ(run.seed, "7");
  EXPECT_EQ(run.best_epoch, 1);
  EXPECT_EQ(run.threads, 3);
  EXPECT_EQ(metric(run.parts.at(0).metrics, "accuracy"), 0.5);
}

TEST(RunRecord, NamesTheLineThatIsWrong) {
  const test::TempFolder folder;
  EXPECT_THROW(read_run(folder.path()), IoError);
  const std::pair<const char*, const char*> cases[] = {
      {"{\"epoch\":2,\"loss\":0.", "this is no JSON; was the file cut or changed?"},
      {"{", "this is no JSON; was the file cut or changed?"},
      {"[1]", "the line should be an object, not a list"},
      {"3", "the line should be an object, not a number"},
      {"{\"loss\":1}", "the line has no epoch"},
      {"{\"epoch\":\"x\"}", "epoch should be a whole number, not text"},
      {"{\"epoch\":1e300}", "epoch should be a whole number, not a number"},
      {"{\"epoch\":18446744073709551615}", "epoch is 18446744073709551616, which is more than it can be"},
      {"{\"epoch\":1,\"lr\":true}", "lr should be a number, not true or false"},
      {"{\"epoch\":1,\"norms\":[1]}", "norms should be an object, not a list"},
      {"{\"epoch\":1,\"norms\":{\"w\":{\"weight\":1}}}", "norms of w lack gradient"},
      {"{\"epoch\":1,\"norms\":{\"w\":{\"weight\":{}}}}",
       "norms of w, weight should be a number, not an object"},
      {"{\"epoch\":1,\"warnings\":[1]}", "a warning should be an object, not a number"},
      {"{\"epoch\":1,\"warnings\":[{\"code\":2}]}", "code should be text, not a number"}};
  const std::string path = folder.file("metrics.jsonl");
  for (const auto& [line, reason] : cases) {
    write_file(path, std::string("{\"epoch\":1}\n") + line);
    EXPECT_ERROR(FormatError, read_run(folder.path()), "[report] " + path + ":2: " + reason);
  }
  write_file(path, std::string("{\"epoch\":1}\n"));
  const std::string result = folder.file("run.json");
  for (const auto& [text, reason] :
       {std::pair{"{\"recipe\":", "this is no JSON; was the file cut or changed?"},
        std::pair{"[]", "the file should be an object, not a list"},
        std::pair{"{\"threads\":\"two\"}", "threads should be a whole number, not text"},
        std::pair{"{\"threads\":5000000000}", "threads is 5e+09, which is more than it can be"},
        std::pair{"{\"metrics\":[]}", "metrics should be an object, not a list"}}) {
    write_file(result, std::string(text));
    EXPECT_ERROR(FormatError, read_run(folder.path()), "[report] " + result + ": " + reason);
  }
}

TEST(Report, MarksBestEpochAndOverfitting) {
  RunReport report = report_of(losses({{1.0, 1.0}, {0.5, 0.6}, {0.3, 0.7}, {0.2, 0.8}}));
  report.run.best_epoch = 2;
  const std::string html = report_html(report);
  expect_sound_page(html);
  EXPECT_TRUE(has(html, ">best: epoch 2<"));
  EXPECT_TRUE(has(html, ">overfitting after epoch 2<"));
  EXPECT_TRUE(has(html, "<data value=\"0.6\" data-epoch=\"2\" data-metric=\"val_loss\">0.6</data>"));
  EXPECT_FALSE(has(html, "The test set was watched"));
}

TEST(Report, SaysWhenTheTestSetWasWatched) {
  RunReport report = report_of(losses({{1.0, 1.0}, {0.5, 0.6}}, "test"));
  report.run.best_epoch = 2;
  report.run.parts = {{"test", {{"loss", 0.6}, {"accuracy", 0.9}}}};
  const std::string html = report_html(report);
  expect_sound_page(html);
  EXPECT_TRUE(has(html, "The test set was watched"));
  EXPECT_TRUE(has(html, "picked on the test set itself"));
  EXPECT_TRUE(has(html, "chosen on the test set"));
  EXPECT_TRUE(has(html, "test (watched)"));
}

TEST(Report, HostileTextStaysText) {
  const std::string evil = "</title><script>alert('x')</script>\"><img src=x onerror=alert(1)>";
  RunReport report = report_of(losses({{1.0, 1.0}, {0.5, 0.6}}));
  report.title = report.note = report.run.recipe = report.run.seed = report.run.weights_sha256 = evil;
  report.run.folder = "runs/" + evil;
  report.run.instruction_set = report.run.diverged = evil;
  report.run.warnings = {{evil, evil, 1, evil}};
  report.run.stop_reason = evil;
  report.run.history[0].metrics.push_back({evil, 1.0});
  report.run.history[0].norms = {{evil, 1.0, 2.0, 3.0}};
  report.run.parts = {{evil, {{evil, 1.0}}}};
  report.configuration = {{evil, evil}, {evil + "." + evil, evil}};
  report.layers = {{evil, evil, Shape{1}, 1, 1}};
  report.weights = {evil, {Image{1, 1, 3, {1, 2, 3}}}, 1.0, 1, 1, {{0.25}}};
  Examination seen;
  seen.part = evil;
  seen.classes = {evil, "b"};
  seen.matrix.emplace(2);
  seen.matrix->add(0, 1);
  seen.examples = 1;
  seen.worst = seen.samples = {{0, 0, 1, 0.9, 0.1, Image{1, 1, 1, {5}}}};
  report.seen = seen;
  expect_sound_page(report_html(report));
  RunReport other = report;
  other.run.folder = "b";
  expect_sound_page(comparison_html({report, other}));
}

TEST(Report, TitlesAreNotBrokenAtHyphens) {
  RunReport report = report_of(losses({{1.0, 1.0}}));
  report.title = "Dense 784-30-10 & <b>  a-name-that-is-too-long-for-it";
  EXPECT_TRUE(has(report_html(report),
                  "<h1>Dense <span class=\"keep\">784-30-10</span> &amp; &lt;b&gt;  "
                  "a-name-that-is-too-long-for-it</h1>"));
}

TEST(Report, StandsWithLittle) {
  for (const std::vector<EpochRecord>& history : {std::vector<EpochRecord>{},
                                                  {epoch(1, {})},
                                                  {epoch(1, {{"loss", 0.5}})},
                                                  losses({{kNaN, kNaN}}),
                                                  losses({{1.0, 0.5}}),
                                                  {epoch(1, {{"loss", 1.0}}), epoch(2, {{"loss", kNaN}})}}) {
    expect_sound_page(report_html(report_of(history)));
  }
}

TEST(Report, OneClassAndNumbersAlone) {
  RunReport report = report_of(losses({{1.0, 0.5}}));
  Examination one;
  one.part = "test";
  one.classes = {"only"};
  one.matrix.emplace(1);
  one.matrix->add(0, 0, 10);
  one.examples = 10;
  report.seen = one;
  expect_sound_page(report_html(report));
  Examination numbers;
  numbers.part = "train";
  numbers.examples = 2;
  numbers.rows = {{{1.0, 2.0}, {0.5}, {0.4}}, {{1.0, kNaN}, {kNaN}, {0.4}}};
  numbers.scores = RegressionScores{};
  report.seen = numbers;
  const std::string html = report_html(report);
  expect_sound_page(html);
  EXPECT_TRUE(has(html, "Example by example"));
}

TEST(Report, AThousandEpochsStaySmall) {
  std::vector<std::pair<double, double>> values;
  for (int i = 0; i < 10000; ++i) values.emplace_back(1.0 / (i + 1), 2.0 / (i + 1));
  RunReport report = report_of(losses(values));
  report.run.best_epoch = 7777;
  const std::string html = report_html(report);
  expect_sound_page(html);
  EXPECT_LT(html.size(), 1'000'000u);
  EXPECT_TRUE(has(html, "data-epoch=\"7777\""));
  EXPECT_TRUE(has(html, "data-epoch=\"10000\""));
}

TEST(Comparison, ShowsWhatDiffers) {
  RunReport a = report_of(losses({{1.0, 1.0}, {0.5, 0.6}}));
  a.configuration = {{"optimizer.lr", "0.1"}, {"optimizer.name", "\"sgd\""}};
  a.run.parts = {{"test", {{"accuracy", 0.5}}}};
  RunReport b = a;
  b.run.folder = "runs/other";
  b.configuration[0].second = "0.2";
  const std::string html = comparison_html({a, b});
  expect_sound_page(html);
  EXPECT_TRUE(has(html, "<code>optimizer.lr</code></th><td><code>0.1</code></td><td><code>0.2</code>"));
  EXPECT_FALSE(has(html, "optimizer.name"));
  EXPECT_TRUE(has(
      html, "<data value=\"0.5\" data-run=\"1\" data-part=\"test\" data-metric=\"accuracy\">50.00 %</data>"));
  EXPECT_ERROR(ValueError, comparison_html({a}), "[report] comparing needs at least two runs, got 1");
}

TEST(Examine, FindsTheSurestMistakes) {
  // The network answers its input, so the inputs are the logits.
  Sequential net;
  net.add(std::make_shared<Linear>(2, 2));
  NamedParameters parameters = named_parameters(net);
  parameters[0].parameter.assign(tensor({{1.0f, 0.0f}, {0.0f, 1.0f}}));
  parameters[1].parameter.assign(tensor({0.0f, 0.0f}));
  const Dataset data("points", tensor({{3.0f, 0.0f}, {0.0f, 1.0f}, {0.0f, 5.0f}, {0.0f, 2.0f}}),
                     tensor({0, 0, 0, 1}), {"left", "right"});
  const Examination seen = examine(net, data, "test", "cross_entropy");
  ASSERT_EQ(seen.worst.size(), 2u);
  EXPECT_EQ(seen.worst[0].number, 2);
  EXPECT_EQ(seen.worst[1].number, 1);
  EXPECT_NEAR(seen.worst[0].confidence, 1.0 / (1.0 + std::exp(-5.0)), 1e-6);
  EXPECT_NEAR(seen.worst[0].target_confidence, 1.0 - 1.0 / (1.0 + std::exp(-5.0)), 1e-6);
  EXPECT_EQ(seen.matrix->right(), 2);
  EXPECT_EQ(seen.samples.size(), 4u);
  EXPECT_FALSE(seen.samples[0].picture.has_value());
}

TEST(Examine, DrawsFirstWeightsOnOneScale) {
  Sequential net;
  net.add(std::make_shared<Flatten>());
  net.add(std::make_shared<Linear>(16, 2));
  std::vector<float> values(32, 0.5f);
  values[0] = -0.5f;
  values[1] = 0.0f;
  named_parameters(net)[0].parameter.assign(Tensor::from(values, {2, 16}));
  const WeightPictures weights = first_weights(net, {1, 4, 4});
  ASSERT_EQ(weights.images.size(), 2u);
  EXPECT_EQ(weights.limit, 0.5);
  const std::vector<std::uint8_t>& p = weights.images[0].pixels;
  EXPECT_GT(p[2], p[0]);  // negative: blue
  EXPECT_EQ(p[3], p[5]);  // zero: no colour
  EXPECT_GT(p[6], p[8]);  // positive: red
  const std::string csv = to_csv(weights);
  EXPECT_EQ(csv.substr(0, csv.find('\n')),
            "unit,y0x0,y0x1,y0x2,y0x3,y1x0,y1x1,y1x2,y1x3,y2x0,y2x1,y2x2,y2x3,y3x0,y3x1,y3x2,y3x3");
  EXPECT_TRUE(has(csv, "\n0,-0.5,0,0.5,"));
  EXPECT_TRUE(has(csv, "\n1,0.5,0.5,"));
  EXPECT_FALSE(has(to_csv(weights, 1), "\n1,"));
  values[2] = 0.1f;  // of a float no more digits than a float has
  named_parameters(net)[0].parameter.assign(Tensor::from(values, {2, 16}));
  EXPECT_TRUE(has(to_csv(first_weights(net, {1, 4, 4})), "\n0,-0.5,0,0.1,0.5,"));
  EXPECT_EQ(first_weights(net, {1, 4, 4}, 1).images.size(), 1u);
  EXPECT_EQ(first_weights(net, {1, 4, 4}, 1).values.size(), 2u);
  EXPECT_TRUE(first_weights(net, {16}).images.empty());       // no pictures
  EXPECT_TRUE(first_weights(net, {1, 5, 5}).images.empty());  // not of these pixels
}

TEST(Examine, PicturesOfBytesAndOfNumbers) {
  EXPECT_EQ(picture_of(Tensor::from(std::vector<std::uint8_t>(16, 7), {1, 4, 4}))->pixels[3], 7);
  const Image stretched = *picture_of(reshape(arange(0.0, 16.0, 1.0, kFloat32), {4, 4}));
  EXPECT_EQ(stretched.pixels.front(), 0);
  EXPECT_EQ(stretched.pixels.back(), 255);
  EXPECT_EQ(picture_of(zeros({3, 4, 4}))->channels, 3);
  EXPECT_FALSE(picture_of(zeros({10})).has_value());
  EXPECT_FALSE(picture_of(zeros({2, 4, 4})).has_value());
}

}  // namespace
}  // namespace splot
