// Recipe: one experiment as data - what to learn from, which network, how, and how long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "splot/core/dtype.h"
#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/data/transforms.h"
#include "splot/nn/registry.h"
#include "splot/recipe/published.h"

namespace splot {

struct DataRecipe {
  /// One of data_names(). images: the pictures in `folder`; table: the rows given in the recipe itself.
  std::string name;
  Index train = 0;       ///< how many examples to learn from, from the front; 0: all that validation leaves
  Index validation = 0;  ///< how many examples, from the back of the training part, choose the best epoch
  /// What is done to inputs before the network sees them; learned on the training part, kept with the model.
  /// unit: pixels over 255, tables as they are; symmetric: then from 0 .. 1 to -1 .. 1; standard: to mean 0
  /// and deviation 1, over all of them; channels, features: the same for every channel, or for every column
  /// or pixel, on its own; none: as stored.
  std::string normalise = "unit";
  double divisor = 0.0;  ///< by what inputs are divided first; 0: pixels by 255, tables by 1
  /// Pictures: given instead of learned, the mean and the standard deviation of pixels that have been
  /// divided; one for all or one for each channel, both or neither, with `unit` alone.
  std::vector<double> mean;
  std::vector<double> std;
  // Pictures in files, images and eurosat (ImageFolder):
  std::string folder;        ///< images: a folder of class folders, or a .tar or .tar.gz of it
  Index size = 0;            ///< width and height that all pictures are brought to; 0: 64
  Index channels = 3;        ///< 3: colour; 1: grey
  std::string fit = "crop";  ///< crop: cut to a square first; stretch: resized as they are
  double test = 0.2;         ///< the share of each class that is for testing, unless folders say so
  Index split_seed = 1;      ///< chooses which
  Index memory = 1024;       ///< MiB of decoded pictures to hold; more are decoded when they are needed
  /// Pictures of any kind: height and width of the piece that the network sees, cut out of a picture anywhere
  /// when it is learned from, after the transforms, and in the middle when it is judged; 0: all of it.
  Index crop = 0;
  /// Each picture that is learned from is followed by four copies, moved down, up, right and left by so many
  /// pixels (displaced.h); 0: none.
  Index displaced = 0;
  /// Changes made by chance to the pictures that are learned from, each [[data.transforms]]; those that judge
  /// the network are left as they are.
  std::vector<Transform> transforms;
  std::vector<std::vector<double>> inputs;   ///< table: one row for each example
  std::vector<std::vector<double>> targets;  ///< table: what the network should answer
};

/// One [[model.layers]] entry. Every argument the registered layer type takes may be given by its name.
struct LayerRecipe {
  std::string type;  ///< one of layer_types(): "linear", "relu", "dropout", ...
  std::string name;  ///< empty: its number
  /// The layers before it, or "input", that it takes: add and concat take several. Empty: the one before it.
  std::vector<std::string> inputs;
  Arguments arguments;  ///< for a linear layer `in` may be left out: as many as arrive
  std::vector<std::vector<double>> weight_values;  ///< starting values of its weight, [out][in]
  std::vector<double> bias_values;                 ///< starting values of its bias, [out]
  std::vector<std::string> frozen;                 ///< parameters that training leaves alone, e.g. ["bias"]
};

struct ModelRecipe {
  std::vector<LayerRecipe> layers;
  /// Instead of layers: a dense network, e.g. [784, 16, 10].
  std::vector<Index> dense;
  std::string activation = "relu";  ///< dense: after every layer but the last
  std::string output = "identity";  ///< dense: after the last
  std::string init;       ///< dense: of all weights, biases then start at zero; empty: linear's own way
  std::string bias_init;  ///< dense: of all biases
  double dropout = 0.0;   ///< dense: the share dropped after every hidden activation
  /// Instead of layers: one of model_names(), from splot/models.
  std::string name;
  Index depth = 0;     ///< resnet, densenet: layers with weights; 0: 20 and 40
  bool skip = true;    ///< resnet: with shortcuts
  Index growth = 12;   ///< densenet: channels that each layer adds
  Index classes = 10;  ///< of a model with a name
};

struct LossRecipe {
  /// One of loss_names(). Those of classes take class numbers; those that compare numbers take them too, as
  /// one-hot rows.
  std::string name = "cross_entropy";
  double label_smoothing = 0.0;       ///< cross_entropy
  std::vector<double> class_weights;  ///< cross_entropy, nll: one for each class
  double delta = 1.0;                 ///< huber, smooth_l1: where the square turns into a line
  /// The penalties l1 sum |w| + l2 / 2 sum w^2. They enter through their gradients, in the optimiser: the
  /// loss that is shown is without them.
  double l1 = 0.0;
  double l2 = 0.0;
  bool penalize_biases = false;  ///< also parameters with one axis: biases, slopes
  /// l1 and l2 are divided by the number of examples to learn from: Nielsen's lambda / n.
  bool penalty_over_n = false;
};

struct OptimizerRecipe {
  std::string name = "sgd";  ///< one of optimizer_names()
  double lr = 0.01;
  double momentum = 0.0;                   ///< sgd, rmsprop
  bool nesterov = false;                   ///< sgd
  std::string momentum_form = "velocity";  ///< sgd: velocity, PyTorch's, or increment (MomentumForm)
  double beta1 = 0.9;                      ///< adam, adamw
  double beta2 = 0.999;                    ///< adam, adamw
  double alpha = 0.99;                     ///< rmsprop: how much of the mean square a step keeps
  bool centered = false;                   ///< rmsprop
  double lr_decay = 0.0;                   ///< adagrad
  double initial = 0.0;                    ///< adagrad: what the sums of squares start from
  Index history = 100;                     ///< lbfgs: how many pairs of differences it remembers
  Index max_iter = 20;                     ///< lbfgs: iterations in a step
  Index max_eval = 0;                      ///< lbfgs: looks at the loss in a step; 0: 5/4 max_iter
  double tolerance_grad = 1e-7;            ///< lbfgs: a step ends when no gradient is larger
  double tolerance_change = 1e-9;          ///< lbfgs: a step ends when loss and weights change by less
  /// adam, adamw, rmsprop, adagrad; left out: the optimiser's own, 1e-10 of adagrad and 1e-8 of the others
  std::optional<double> eps;
  double weight_decay = 0.0;  ///< of all parameters: adamw's is decoupled, others' is an l2 penalty
  bool maximize = false;  ///< climbs: adds the gradient instead of subtracting it, the classic slip of sign
};

/// A schedule, and as one of several how long it lasts.
struct SchedulePart {
  /// constant, step, exponential, cosine, linear, cyclic or one_cycle (splot/optim/schedule.h): what
  /// optimizer.lr is multiplied by
  std::string name = "constant";
  Index epochs = 0;     ///< of a part: how long it lasts, together with ...
  Index steps = 0;      ///< ... this many steps; both 0, for the last part alone: to the end
  Index every = 1;      ///< step: epochs between two drops
  double factor = 0.1;  ///< step: what a drop multiplies by; exponential: what an epoch multiplies by
  double start = 0.1;   ///< linear, one_cycle: the first factor; cyclic: the lowest
  double final = 0.0;   ///< cosine, linear, one_cycle: the factor reached at the end
  double rise = 0.3;    ///< one_cycle: the share of the training in which the rate rises
  std::string anneal = "cosine";    ///< one_cycle: along cosine or linear
  Index up = 1;                     ///< cyclic: epochs from the lowest to the highest
  Index down = 0;                   ///< cyclic: epochs back; 0: as many
  std::string mode = "triangular";  ///< cyclic: triangular, triangular2 or exp_range
  double gamma = 1.0;               ///< cyclic, exp_range: what the height is multiplied by after every step
};

struct ScheduleRecipe : SchedulePart {
  Index warmup = 0;  ///< steps over which the rate first rises linearly from zero
  /// Instead of one schedule several, one after the other, each [[schedule.parts]]. A part takes its own
  /// length for the whole: a cosine falls to its end within the part.
  std::vector<SchedulePart> parts;
};

struct TrainRecipe {
  Index epochs = 1;
  Index batch = 32;  ///< 0: all examples at once
  bool shuffle = true;
  std::string keep =
      "best";  ///< which weights the run ends with: the best epoch's by validation, or the last
  /// The set whose figures are watched and choose the best epoch: val, the validation part, or test.
  std::string watch = "val";
  /// What is measured beside the loss: any of metric_names(). Empty: accuracy where there are classes or two
  /// sides to choose from, else mse.
  std::vector<std::string> metrics;
  std::string monitor;      ///< one metric that chooses the best epoch instead: "val_loss"
  Index patience = 0;       ///< early stopping: epochs without improvement after which it ends; 0: never
  double min_delta = 0.0;   ///< early stopping: what counts as an improvement
  Index accumulate = 1;     ///< batches that make one step
  double clip_norm = 0.0;   ///< largest norm of all gradients together; 0: any
  double clip_value = 0.0;  ///< largest size of an element of a gradient; 0: any
  /// Averages of the weights: ema, with average_decay after every step, or mean, of the weights at the ends
  /// of epochs, both from epoch average_start on (TrainerOptions::average). The run is judged by them, and
  /// ends with them.
  std::string average = "none";
  double average_decay = 0.999;
  Index average_start = 1;
  Index checkpoint_every = 0;  ///< steps between two checkpoints; 0: after epochs
  bool compiled = true;        ///< steps run as plans (TrainerOptions::compiled)
  DType dtype = kFloat32;
};

/// A whole experiment. Keys are written as in the file: `optimizer.lr`, `train.epochs`, `model.layers`.
///
///   Recipe recipe = parse_recipe(text, "mine.toml");
///   set_value(recipe, "optimizer.lr=0.5");
struct Recipe {
  std::string id;     ///< the file's name without its ending; not a key
  std::string title;  ///< one line
  DataRecipe data;
  ModelRecipe model;
  LossRecipe loss;
  OptimizerRecipe optimizer;
  ScheduleRecipe schedule;
  TrainRecipe train;
  Index seeds = 1;  ///< an experiment is repeated with the seeds 1 to this
  PublishedRecipe published;
};

/// Reads TOML text; `source` names it in errors. Throws FormatError "mine.toml:3: ..." for text that is not
/// TOML, keys that do not exist (naming the nearest one), values of the wrong type or range, and texts that
/// are too long or nested too deep.
SPLOT_API Recipe parse_recipe(std::string_view text, std::string_view source);

/// The same from a file. Throws IoError when it cannot be read.
SPLOT_API Recipe load_recipe(const std::string& path);

/// Sets one key: "optimizer.lr=0.5", "model.dense=[784, 30, 10]". Text needs no quotes. Throws ValueError,
/// saying what is wrong in the same words as parse_recipe().
SPLOT_API void set_value(Recipe& recipe, std::string_view assignment);

/// Throws FormatError naming `source` when the parts do not fit together: no model, a loss that needs
/// classes for a table, batches larger than zero and the like.
SPLOT_API void check_recipe(const Recipe& recipe, std::string_view source);

/// The recipe as TOML, every key written out: parse_recipe() gives the same recipe again.
SPLOT_API std::string to_toml(const Recipe& recipe);

/// What data.name can be.
SPLOT_API const std::vector<std::string>& data_names();
/// What model.name can be.
SPLOT_API const std::vector<std::string>& model_names();
/// What loss.name and optimizer.name can be, and what train.metrics can hold.
SPLOT_API const std::vector<std::string>& loss_names();
SPLOT_API const std::vector<std::string>& optimizer_names();
SPLOT_API const std::vector<std::string>& metric_names();

/// The recipe's keys with their values as text, as to_toml() writes them; layers as "model.layers.0.type".
/// What is empty is left out.
SPLOT_API std::vector<std::pair<std::string, std::string>> recipe_values(const Recipe& recipe);

/// Every key a recipe may have, in order: "title", "seeds", "data.name", ..., "model.layers.type", ...
SPLOT_API std::vector<std::string> recipe_keys();

}  // namespace splot
