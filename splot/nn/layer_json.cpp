// Architectures as JSON. A new version is only needed when old readers would misunderstand the text: unknown
// keys are refused, so that nothing a newer Splot wrote is dropped in silence.
#include <nlohmann/json.hpp>

#include "splot/nn/registry.h"

namespace splot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr int kMaxDepth = 64;  // of layers in layers: a file must not overflow the stack

Json to_value(const AttrValue& value) {
  struct Convert {
    Json operator()(bool x) const { return x; }
    Json operator()(Index x) const { return x; }
    Json operator()(double x) const { return x; }
    Json operator()(DType x) const { return x.name(); }
    Json operator()(const Ints& x) const { return std::vector<Index>(x.begin(), x.end()); }
    Json operator()(const std::string& x) const { return x; }
  };
  return std::visit(Convert(), value);
}

Json to_tree(const LayerDescription& layer) {
  Json out = {{"type", layer.type}};
  if (!layer.name.empty()) out["name"] = layer.name;
  if (!layer.registered) out["registered"] = false;
  if (!layer.inputs.empty()) out["inputs"] = layer.inputs;
  Json arguments = Json::object();
  for (const auto& entry : layer.arguments.values()) arguments[entry.first] = to_value(entry.second);
  if (!arguments.empty()) out["arguments"] = std::move(arguments);
  for (const LayerDescription& child : layer.children) out["children"].push_back(to_tree(child));
  return out;
}

AttrValue from_value(const std::string& name, const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) {
    require<FormatError>(!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX, "model",
                         "the argument \"", name, "\" is too large");
    return value.get<Index>();
  }
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  require<FormatError>(value.is_array() && value.size() <= kMaxRank, "model", "the argument \"", name,
                       "\" is neither a value nor a list of at most ", kMaxRank, " integers");
  Ints out;
  for (const Json& element : value) {
    require<FormatError>(element.is_number_integer(), "model", "the argument \"", name,
                         "\" is a list of something else than integers");
    out.push_back(element.get<Index>());
  }
  return out;
}

std::string text_of(const Json& value, const char* key) {
  require<FormatError>(value.is_string(), "model", '"', key, "\" of a layer must be a text");
  return value.get<std::string>();
}

LayerDescription from_tree(const Json& tree, int depth) {
  require<FormatError>(depth < kMaxDepth, "model", "layers are nested more than ", kMaxDepth, " deep");
  require<FormatError>(tree.is_object(), "model", "a layer must be an object");
  LayerDescription out;
  for (const auto& [key, value] : tree.items()) {
    if (key == "type") {
      out.type = text_of(value, "type");
    } else if (key == "name") {
      out.name = text_of(value, "name");
    } else if (key == "registered") {
      require<FormatError>(value.is_boolean(), "model", "\"registered\" of a layer must be true or false");
      out.registered = value.get<bool>();
    } else if (key == "inputs") {
      require<FormatError>(value.is_array(), "model", "\"inputs\" of a layer must be a list");
      for (const Json& name : value) out.inputs.push_back(text_of(name, "inputs"));
    } else if (key == "arguments") {
      require<FormatError>(value.is_object(), "model", "\"arguments\" of a layer must be an object");
      for (const auto& [name, argument] : value.items()) out.arguments.set(name, from_value(name, argument));
    } else if (key == "children") {
      require<FormatError>(value.is_array(), "model", "\"children\" of a layer must be a list");
      for (const Json& child : value) out.children.push_back(from_tree(child, depth + 1));
    } else {
      fail<FormatError>("model", "a layer has the unknown key \"", key, '"');
    }
  }
  require<FormatError>(!out.type.empty(), "model", "a layer has no type");
  return out;
}

}  // namespace

std::string to_json(const LayerDescription& description) {
  const Json out = {{"version", kVersion}, {"model", to_tree(description)}};
  // Anything but UTF-8 in a name is replaced: text that cannot be read back would be worse.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

LayerDescription description_from_json(std::string_view text) {
  // A tree of layers doubles in depth with each "children" list; arguments add little.
  const auto bounded = [](int depth, Json::parse_event_t, Json&) {
    require<FormatError>(depth <= 2 * kMaxDepth + 8, "model", "the JSON text is nested too deeply");
    return true;
  };
  Json root;
  try {
    root = Json::parse(text, bounded);
  } catch (const Json::parse_error& error) {
    fail<FormatError>("model", "this is not JSON, from byte ", error.byte, " on");
  } catch (const Json::exception&) {
    fail<FormatError>("model", "this is not JSON: a number in it is too large");
  }
  require<FormatError>(root.is_object() && root.contains("version") && root.contains("model"), "model",
                       "the architecture must have a \"version\" and a \"model\"");
  const Json& version = root["version"];
  require<FormatError>(version.is_number_integer() && version.get<Index>() >= 1, "model",
                       "the version of the architecture must be a positive integer");
  require<FormatError>(version.get<Index>() <= kVersion, "model", "the architecture has version ",
                       version.get<Index>(), ", this Splot reads up to ", kVersion);
  return from_tree(root["model"], 0);
}

}  // namespace splot
