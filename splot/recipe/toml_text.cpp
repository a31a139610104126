#include "splot/recipe/internal/toml_text.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "splot/core/error.h"

namespace splot::recipe_detail {
namespace {

// The parser and its tables are recursive, and a dotted key nests once for every dot whatever the parser's
// own limit says; both are therefore bounded before it sees the text.
constexpr int kMaxDots = 16;
constexpr int kMaxBrackets = 16;

[[noreturn]] void refuse(std::string_view source, std::size_t line, std::string_view reason) {
  throw FormatError(join(source, ':', line, ": ", reason));
}

// Walks over the text as TOML's grammar divides it: comments, the four kinds of strings, and the rest.
class Scan {
 public:
  Scan(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  void run() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // the mark that some editors put in front
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        take(c);
        ++at_;
      }
    }
  }

 private:
  // toml++ 3.3 takes it for granted that certain letters never stand where it looks for blanks: a damaged
  // file would lead to undefined behaviour.
  void refuse_letter(char c, std::string_view reason) const {
    if (static_cast<unsigned char>(c) >= 0x80) refuse(source_, line_, reason);
  }

  void take(char c) {
    refuse_letter(c, "letters beyond ASCII belong into quotes and comments");
    if (c == '\n') ++line_;
    if (c == '[' || c == '{') ++depth_;
    if (c == ']' || c == '}') --depth_;
    if (c == '.') ++dots_;
    if (c == '\n' || c == ',' || c == '=' || c == '[' || c == ']' || c == '{' || c == '}') dots_ = 0;
    if (depth_ > kMaxBrackets) refuse(source_, line_, join("more than ", kMaxBrackets, " nested brackets"));
    if (dots_ > kMaxDots) refuse(source_, line_, join("more than ", kMaxDots, " dots in a key"));
  }

  // Strings are atoms of a dotted key: they neither count nor end it.
  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool multiline = text_.substr(at_, 3) == three;
    at_ += multiline ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        if (!multiline) return;
      }
      if (quote == '"' && c == '\\') {
        if (multiline) check_continuation();
        // The escaped character is part of the string, unless it is a line end, which still counts as one.
        at_ += at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2 : 1;
      } else if (c == quote && (!multiline || text_.substr(at_, 3) == three)) {
        at_ += multiline ? 3 : 1;
        // Up to two quotes more are the last of a multi-line string's own text.
        for (int extra = 0; multiline && extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra)
          ++at_;
        return;
      } else {
        ++at_;
      }
    }
  }

  // Behind a backslash: what is escaped, or the first letter of the line that continues this one.
  void check_continuation() const {
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
    if (next == std::string_view::npos) return;
    refuse_letter(text_[next], "what follows a backslash must begin with an ASCII letter");
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  int depth_ = 0;
  int dots_ = 0;
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

toml::table parse_toml(std::string_view text, std::string_view source) {
  if (text.size() > kMaxTomlBytes) {
    refuse(source, 1, join("the text has ", text.size(), " bytes; at most ", kMaxTomlBytes, " are read"));
  }
  Scan(text, source).run();
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    refuse(source, error.source().begin.line, error.description());
  } catch (const std::exception& error) {
    refuse(source, 1, error.what());
  }
}

std::string nearest_key(std::string_view wrong, const std::vector<std::string>& known) {
  std::string best;
  std::size_t smallest = std::string::npos;
  for (const std::string& key : known) {
    // `lr` is meant as `optimizer.lr`: the last part alone counts too, though a little less.
    const std::string_view last = std::string_view(key).substr(key.rfind('.') + 1);
    const std::string_view wrong_last = wrong.substr(wrong.rfind('.') + 1);
    const std::size_t distance = std::min(2 * edit_distance(wrong.substr(0, 64), key),
                                          2 * edit_distance(wrong_last.substr(0, 64), last) + 3);
    if (distance < smallest) {
      smallest = distance;
      best = key;
    }
  }
  return best;
}

}  // namespace splot::recipe_detail
