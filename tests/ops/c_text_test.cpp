// The C text of every elementwise op, compiled by the C compiler and run beside the library.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"

namespace splot::test {
namespace {

struct Printed {
  const RegisteredCase* registered;
  CalledRecord called;
  std::string symbol;
};

const std::vector<std::string> kNames = {"a", "b", "c", "d"};

std::string c_function(const Printed& p) {
  const std::size_t arity = static_cast<std::size_t>(p.called.op->elementwise->arity);
  std::string parameters, arguments;
  for (std::size_t i = 0; i < arity; ++i) {
    parameters += join(i == 0 ? "" : ", ", "float ", kNames[i]);
    arguments += join(i == 0 ? "" : ", ", "in[", i, "][i]");
  }
  const std::string text =
      p.called.op->elementwise->text(std::span(kNames).first(arity), p.called.attrs, Dialect::c);
  return join("static float one_", p.symbol, "(", parameters, ") { return ", text, "; }\n", "void ", p.symbol,
              "(const float* const* in, float* out, long n) {\n  for (long i = 0; i < n; ++i) out[i] = one_",
              p.symbol, "(", arguments, ");\n}\n");
}

TEST(CText, ComputesWhatTheLibraryDoes) {
  if (std::system("cc --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no C compiler called cc";
  std::vector<Printed> all;
  std::string source = "#include <math.h>\n";
  for (const RegisteredCase& registered : op_cases()) {
    for (const TensorList& inputs : smooth_inputs(registered)) {
      CalledRecord called = called_record(registered, inputs);
      if (called.op == nullptr || called.op->elementwise == nullptr) continue;
      all.push_back({&registered, std::move(called), join("case_", all.size())});
      source += c_function(all.back());
    }
  }
  ASSERT_GE(all.size(), 40u);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / join("splot_c_text_", static_cast<long long>(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "ops.c") << source;
  const std::string command =
      "cc -std=c99 -O2 -ffp-contract=off -Wall -Werror -Wno-float-equal -shared -fPIC -o " +
      (folder / "ops.so").string() + " " + (folder / "ops.c").string() + " -lm";
  ASSERT_EQ(std::system(command.c_str()), 0) << source;
  void* library = dlopen((folder / "ops.so").c_str(), RTLD_NOW);
  ASSERT_NE(library, nullptr) << dlerror();
  for (const Printed& p : all) {
    const auto run =
        reinterpret_cast<void (*)(const float* const*, float*, long)>(dlsym(library, p.symbol.c_str()));
    ASSERT_NE(run, nullptr) << p.symbol;
    TensorList inputs;
    for (const Tensor& x : p.called.inputs) inputs.push_back(x.dtype() == kBool ? x : cast(x, kFloat32));
    const Tensor expected = apply(*p.called.op, inputs, p.called.attrs);
    std::vector<std::vector<float>> columns;
    std::vector<const float*> in;
    for (const Tensor& x : inputs) columns.push_back(expand(x, expected.shape()).to_vector<float>());
    for (const auto& column : columns) in.push_back(column.data());
    std::vector<float> out(static_cast<std::size_t>(expected.numel()));
    run(in.data(), out.data(), static_cast<long>(out.size()));
    const Tolerance& t = p.registered->op_case.float32;
    EXPECT_EQ(difference_between(Tensor::from(out, expected.shape()), cast(expected, kFloat32),
                                 {2 * t.relative, t.absolute}),
              "")
        << p.registered->name << ": " << c_function(p);
  }
  dlclose(library);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace splot::test
