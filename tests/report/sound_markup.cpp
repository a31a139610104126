#include "tests/report/sound_markup.h"

#include <algorithm>
#include <array>
#include <vector>

namespace splot::test {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':';
}

class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size() && fault_.empty()) {
      const char c = text_[at_];
      if (c == '<') {
        tag();
      } else if (c == '>') {
        wrong("a stray >");
      } else {
        character();
      }
    }
    if (fault_.empty() && !open_.empty()) wrong("no end of " + open_.back());
    return fault_;
  }

 private:
  void wrong(const std::string& what) {
    if (fault_.empty()) fault_ = what + " at: " + std::string(text_.substr(at_ > 40 ? at_ - 40 : 0, 120));
  }

  void character() {
    if (text_[at_] != '&') {
      ++at_;
      return;
    }
    constexpr std::array<std::string_view, 5> kEntities = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (const std::string_view entity : kEntities) {
      if (text_.substr(at_, entity.size()) == entity) {
        at_ += entity.size();
        return;
      }
    }
    wrong("a stray &");
  }

  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    if (at_ == begin) wrong("a name is missing");
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void attribute() {
    name();
    if (!take('=') || !take('"')) return wrong("an attribute without quotes");
    while (at_ < text_.size() && text_[at_] != '"' && fault_.empty()) {
      if (text_[at_] == '<') return wrong("< in an attribute");
      character();
    }
    if (!take('"')) wrong("an open quote");
  }

  void tag() {
    ++at_;
    const bool closes = take('/');
    const std::string tag_name = name();
    while (fault_.empty() && take(' ')) attribute();
    const bool empty = take('/');
    if (!take('>')) return wrong("a tag that does not end");
    if (closes) {
      if (open_.empty() || open_.back() != tag_name) return wrong("an end of " + tag_name);
      open_.pop_back();
    } else if (!empty && tag_name != "br" && tag_name != "img") {
      open_.push_back(tag_name);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string fault_;
  std::vector<std::string> open_;
};

}  // namespace

std::string markup_fault(std::string_view text) { return Scan(text).run(); }

}  // namespace splot::test
