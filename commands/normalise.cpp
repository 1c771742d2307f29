#include "commands/normalise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/text.hpp"
#include "properties/nearest.hpp"

namespace baton::commands {
namespace {

error wrong(std::string text) {
  return {errc::bad_usage, std::move(text)};
}

bool looks_like_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

bool is_number(std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(1);
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// The name of an option word: without dashes and without "=value".
std::string_view name_of(std::string_view word) {
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  return word.substr(0, word.find('='));
}

const option* find(const command& declared, std::string_view name) {
  for (const option& o : declared.options) {
    if (name == o.letters || name == o.word) return &o;
  }
  return nullptr;
}

bool is_help(std::string_view word) {
  return word == "-h" || word == "-?" || word == "--help";
}

bool is_not_yet(const command& declared, std::string_view name) {
  const auto in = [&](std::span<const std::string_view> list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  return in(declared.not_yet) || in(common_not_yet);
}

error unknown(const command& declared, std::string_view word) {
  const std::string_view name = name_of(word);
  if (is_not_yet(declared, name)) return wrong(fmt::format("the option -{} of IBM MFT is not supported yet", name));
  std::vector<std::string_view> known{"help"};
  for (const option& o : declared.options) {
    if (!o.letters.empty()) known.push_back(o.letters);
    known.push_back(o.word);
  }
  const std::string_view nearest = nearest_word(name, known);
  const auto shown = escape_control(word.substr(0, word.find('=')));
  if (nearest.empty()) return wrong(fmt::format("unknown option {}", shown));
  const option* meant = find(declared, nearest);
  const bool one_dash = meant != nullptr && nearest == meant->letters;
  return wrong(fmt::format("unknown option {}. Did you mean {}{}?", shown, one_dash ? "-" : "--", nearest));
}

class normaliser {
 public:
  normaliser(const command& declared, const std::vector<std::string>& words) : declared_(declared), words_(words) {}

  result<normalised> run() {
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (word == "--") {
        out_.operands.insert(out_.operands.end(), words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
        return out_;
      }
      if (!looks_like_option(word)) {
        out_.operands.push_back(word);
      } else if (is_help(word) && find(declared_, name_of(word)) == nullptr) {
        out_.help_wanted = true;
        return out_;
      } else if (auto taken = take_option(word); !taken) {
        return taken.error();
      }
    }
    return out_;
  }

 private:
  status take_option(const std::string& word) {
    const option* o = find(declared_, name_of(word));
    if (o == nullptr) return unknown(declared_, word);
    const auto equals = word.find('=');
    if (equals != std::string::npos) {
      if (o->kind == option_kind::flag) return wrong(fmt::format("the option -{} takes no value", key_of(*o)));
      return put(*o, word.substr(equals + 1));
    }
    if (o->kind == option_kind::flag) return put(*o, std::nullopt);
    if (o->value_optional && (at_ == words_.size() || !is_number(words_[at_]))) return put(*o, std::nullopt);
    if (at_ == words_.size() || is_another_option(words_[at_])) {
      return wrong(fmt::format("the option -{} needs a value: {}", key_of(*o), o->value));
    }
    return put(*o, words_[at_++]);
  }

  // A forgotten value must not swallow the option behind it. "-x=-value" gives a value that looks like an option.
  bool is_another_option(const std::string& word) const {
    return looks_like_option(word) && (word == "--" || find(declared_, name_of(word)) != nullptr);
  }

  status put(const option& o, const std::optional<std::string>& value) {
    if (value && value->empty()) return wrong(fmt::format("the value of -{} is empty", key_of(o)));
    out_.options.push_back(value ? fmt::format("--{}={}", key_of(o), *value) : fmt::format("--{}", key_of(o)));
    return done();
  }

  const command& declared_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  normalised out_;
};

}  // namespace

result<normalised> normalise(const command& declared, const std::vector<std::string>& words) {
  return normaliser(declared, words).run();
}

}  // namespace baton::commands
