#include "splot/recipe/recipe.h"

#include <fstream>

#include <gtest/gtest.h>

#include "splot/core/error.h"

namespace splot {
namespace {

constexpr std::string_view kSmall = R"(title = "small"
[data]
name = "mnist"
validation = 10000
[model]
dense = [784, 16, 10]
[optimizer]
name = "adam"
lr = 0.001
[train]
epochs = 3
batch = 128
)";

template <typename E, typename F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type of error: ") + error.what();
  }
  return "no error";
}

// What parse_recipe() says about the small recipe with one line more.
std::string refusal(const std::string& more) {
  return message_of<FormatError>([&] { parse_recipe(std::string(kSmall) + more, "mine.toml"); });
}

TEST(Recipe, ReadsEveryKindOfValueAndLeavesTheRestAtItsDefault) {
  const Recipe recipe = parse_recipe(kSmall, "recipes/mine.toml");
  EXPECT_EQ(recipe.id, "mine");
  EXPECT_EQ(recipe.title, "small");
  EXPECT_EQ(recipe.data.validation, 10000);
  EXPECT_EQ(recipe.model.dense, (std::vector<Index>{784, 16, 10}));
  EXPECT_EQ(recipe.optimizer.name, "adam");
  EXPECT_EQ(recipe.optimizer.lr, 0.001);
  EXPECT_EQ(recipe.train.epochs, 3);
  EXPECT_EQ(recipe.train.dtype, kFloat32);
  EXPECT_EQ(recipe.schedule.name, "constant");
}

TEST(Recipe, ReadsLayersAndTables) {
  const Recipe recipe = parse_recipe(R"(
[data]
name = "table"
inputs = [[0.05, 0.1]]
targets = [[0.01, 1]]
[loss]
name = "half_squared_error"
[[model.layers]]
type = "linear"
out = 2
weight_values = [[0.15, 0.2], [0.25, 0.3]]
frozen = ["bias"]
[[model.layers]]
type = "sigmoid"
)",
                                     "t.toml");
  ASSERT_EQ(recipe.model.layers.size(), 2u);
  EXPECT_EQ(recipe.model.layers[0].weight_values[1][0], 0.25);
  EXPECT_EQ(recipe.model.layers[0].frozen, std::vector<std::string>{"bias"});
  EXPECT_EQ(recipe.model.layers[1].type, "sigmoid");
  EXPECT_EQ(recipe.data.targets[0][1], 1.0);
}

TEST(Recipe, WrittenOutAndReadAgainIsTheSame) {
  Recipe recipe = parse_recipe(kSmall, "mine.toml");
  set_value(recipe, "title=quotes \" and \\ and \n");
  set_value(recipe, "optimizer.lr=0.1");
  set_value(recipe, "optimizer.eps=1e-7");
  const std::string text = to_toml(recipe);
  const Recipe again = parse_recipe(text, "mine.toml");
  EXPECT_EQ(to_toml(again), text);
  EXPECT_EQ(again.optimizer.lr, 0.1);
  EXPECT_EQ(again.optimizer.eps, 1e-7);
  EXPECT_EQ(again.model.dense, recipe.model.dense);

  set_value(recipe, "model.dense=[]");
  set_value(recipe, "model.layers=[{type=\"linear\", out=3, bias=false}, {type=\"relu\", name=\"hidden\"}]");
  const Recipe layers = parse_recipe(to_toml(recipe), "mine.toml");
  ASSERT_EQ(layers.model.layers.size(), 2u);
  EXPECT_FALSE(layers.model.layers[0].arguments.flag("bias"));
  EXPECT_EQ(layers.model.layers[0].arguments.integer("out"), 3);
  EXPECT_EQ(layers.model.layers[1].name, "hidden");
}

TEST(Recipe, AnUnknownKeyNamesTheNearestOneAndItsLine) {
  EXPECT_EQ(refusal("epoch = 4\n"), "mine.toml:13: there is no key train.epoch; did you mean train.epochs?");
  EXPECT_EQ(refusal("[optimiser]\nlr = 1\n"),
            "mine.toml:13: there is no key optimiser; did you mean optimizer.lr?");
  EXPECT_EQ(refusal("[loss.nam]\na = 1\n"),
            "mine.toml:13: there is no key loss.nam; did you mean loss.name?");
  EXPECT_EQ(refusal("[[model.layers]]\ntype = \"linear\"\nouts = 3\n"),
            "mine.toml:15: a linear layer has no outs; did you mean out?");
}

TEST(Recipe, AWrongTypeOrRangeNamesKeyAndLine) {
  EXPECT_EQ(refusal("shuffle = 1\n"),
            "mine.toml:13: train.shuffle should be true or false, not a whole number");
  EXPECT_EQ(refusal("[seeds]\n"), "mine.toml:13: seeds should be a whole number, not a table");
  EXPECT_EQ(refusal("[schedule]\nfactor = -1\n"), "mine.toml:14: schedule.factor is -1; it must be above 0");
  EXPECT_EQ(refusal("[schedule]\nfactor = nan\n"), "mine.toml:14: schedule.factor must be finite");
  EXPECT_EQ(refusal("[loss]\nname = \"mes\"\n"),
            "mine.toml:14: loss.name is \"mes\"; did you mean \"mse\"? It can be cross_entropy, nll, "
            "binary_cross_entropy, binary_cross_entropy_of_probabilities, categorical_cross_entropy, "
            "categorical_cross_entropy_from_sigmoid, mse, mae, rmse, huber, smooth_l1, half_squared_error, "
            "cross_entropy_cost, quadratic_cost");
  EXPECT_EQ(refusal("[[model.layers]]\nin = 3\n"), "mine.toml:13: a layer needs a type");
  EXPECT_EQ(refusal("[loss]\nname = [[1]]\n"), "mine.toml:14: loss.name should be text, not a list");
}

TEST(Recipe, SetUsesTheSameWords) {
  Recipe recipe = parse_recipe(kSmall, "mine.toml");
  set_value(recipe, "optimizer.name=sgd");
  set_value(recipe, " train.dtype = float64 ");
  set_value(recipe, "model.dense=[784,30,10]");
  EXPECT_EQ(recipe.optimizer.name, "sgd");
  EXPECT_EQ(recipe.train.dtype, kFloat64);
  EXPECT_EQ(recipe.model.dense[1], 30);
  const auto set = [&](std::string_view text) {
    return message_of<ValueError>([&] { set_value(recipe, text); });
  };
  EXPECT_EQ(set("optimizer.lr=fast"), "--set optimizer.lr=fast: optimizer.lr should be a number, not text");
  EXPECT_EQ(set("lr=0.5"), "--set lr=0.5: there is no key lr; did you mean optimizer.lr?");
  EXPECT_EQ(set("train.batch"), "--set train.batch: write KEY=VALUE, for example optimizer.lr=0.5");
  EXPECT_EQ(set("train.batch="), "--set train.batch=: train.batch should be a whole number, not text");
}

TEST(Recipe, PartsThatDoNotFitTogetherAreRefused) {
  EXPECT_EQ(refusal("[[model.layers]]\ntype = \"relu\"\n"),
            "mine.toml: model.layers, model.dense and model.name are ways to say the same; give one of them");
  EXPECT_EQ(message_of<FormatError>([] { parse_recipe("", "empty.toml"); }),
            "empty.toml: data.name is missing: mnist, fashion-mnist, digits, eurosat, cifar-10, "
            "images or table");
  EXPECT_EQ(message_of<FormatError>([] {
              parse_recipe("[data]\nname=\"table\"\ninputs=[[1]]\ntargets=[[1],[2]]\n[model]\ndense=[1,1]\n",
                           "t");
            }),
            "t: data.inputs has 1 rows and data.targets has 2");
}

TEST(Recipe, TextThatIsNotTomlNamesTheLine) {
  EXPECT_EQ(refusal("= 3\n").substr(0, 13), "mine.toml:13:");
  EXPECT_EQ(refusal("batch = 3\n").substr(0, 13), "mine.toml:13:");  // given twice
}

TEST(Recipe, DepthAndLengthAreBounded) {
  std::string dotted = "a";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  EXPECT_EQ(refusal(dotted + " = 1\n"), "mine.toml:13: more than 16 dots in a key");
  std::string quoted = "\",[\"";
  for (int i = 0; i < 20'000; ++i) quoted += ".\"=,\"";
  EXPECT_EQ(refusal(quoted + " = 1\n"), "mine.toml:13: more than 16 dots in a key");
  EXPECT_EQ(refusal("a = " + std::string(100'000, '[')), "mine.toml:13: more than 16 nested brackets");
  EXPECT_EQ(refusal("# " + std::string(300'000, 'x')),
            "mine.toml:1: the text has 300157 bytes; at most 262144 are read");
  // Dots and brackets in text and comments do not count.
  EXPECT_EQ(refusal("# " + std::string(100, '[') + " a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t\n"), "no error");
}

TEST(Recipe, AMissingFileIsAnIoError) {
  EXPECT_EQ(message_of<IoError>([] { load_recipe("no/such.toml"); }), "[recipe] cannot open no/such.toml");
}

TEST(Recipe, KeysAreListedOnce) {
  std::vector<std::string> keys = recipe_keys();
  const std::size_t count = keys.size();
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  EXPECT_EQ(keys.size(), count);
  EXPECT_TRUE(std::binary_search(keys.begin(), keys.end(), "model.layers.type"));
}

TEST(Recipe, EveryKeyIsInTheDocumentation) {
  const std::string path = std::string(SPLOT_TESTS_DIR) + "/../docs/recipes.md";
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const std::string& key : recipe_keys()) {
    EXPECT_NE(text.find('`' + key + '`'), std::string::npos) << "docs/recipes.md has no " << key;
  }
  const std::size_t begin = text.find("```toml\n") + 8;
  const Recipe example = parse_recipe(text.substr(begin, text.find("```", begin) - begin), path);
  EXPECT_EQ(example.schedule.parts.size(), 2U);
}

}  // namespace
}  // namespace splot
