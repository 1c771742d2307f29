#include "commands/arguments.hpp"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "commands/normalise.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

namespace po = boost::program_options;
using value_map = std::map<std::string, std::vector<std::string>, std::less<>>;

error wrong(std::string text) {
  return {errc::bad_usage, std::move(text)};
}

const option* find(const command& declared, std::string_view key) {
  for (const option& o : declared.options) {
    if (key_of(o) == key) return &o;
  }
  return nullptr;
}

po::options_description description_of(const command& declared) {
  po::options_description all;
  for (const option& o : declared.options) {
    const std::string key(key_of(o));
    if (o.kind == option_kind::flag)
      all.add_options()(key.c_str(), "");
    else if (o.value_optional)
      all.add_options()(key.c_str(), po::value<std::string>()->implicit_value(""), "");
    else
      all.add_options()(key.c_str(), po::value<std::string>(), "");
  }
  return all;
}

result<value_map> read_with_boost(const command& declared, const std::vector<std::string>& words) {
  using style = po::command_line_style::style_t;
  const auto description = description_of(declared);
  try {
    const auto parsed =
        po::command_line_parser(words).options(description).style(style::allow_long | style::long_allow_adjacent).run();
    value_map values;
    for (const auto& each : parsed.options) {
      auto& list = values[each.string_key];
      list.push_back(each.value.empty() ? std::string() : each.value[0]);
    }
    return values;
  } catch (const po::error& failure) {
    return wrong(failure.what());
  }
}

status check_number(const option& o, const std::string& value) {
  if (value.empty() && o.value_optional) return done();
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failure == std::errc{} && end == value.data() + value.size() && number >= o.min && number <= o.max) return done();
  return wrong(fmt::format("the option -{} needs a number, {} to {}, and not \"{}\"", key_of(o), o.min, o.max,
                           escape_control(value)));
}

status check_choice(const option& o, const std::string& value) {
  const auto words = split(o.choices, '|');
  for (const auto& word : words) {
    if (word == value) return done();
  }
  return wrong(fmt::format("the option -{} needs one of {}, and not \"{}\"", key_of(o), fmt::join(words, ", "),
                           escape_control(value)));
}

status check_values(const command& declared, const value_map& values) {
  for (const auto& [key, list] : values) {
    const option& o = *find(declared, key);
    if (list.size() > 1 && !o.repeatable) return wrong(fmt::format("the option -{} is given more than once", key));
    for (const std::string& value : list) {
      auto checked = o.kind == option_kind::number   ? check_number(o, value)
                     : o.kind == option_kind::choice ? check_choice(o, value)
                                                     : done();
      if (!checked) return checked;
    }
  }
  return done();
}

status check_complete(const command& declared, const value_map& values, const std::vector<std::string>& operands) {
  std::vector<std::string> missing;
  for (const option& o : declared.options) {
    if (o.required && !values.contains(key_of(o))) missing.push_back(fmt::format("-{}", key_of(o)));
  }
  if (!missing.empty()) {
    return wrong(fmt::format("missing {}: {}", missing.size() == 1 ? "option" : "options", fmt::join(missing, ", ")));
  }
  if (operands.size() < declared.operands.min) return wrong(fmt::format("missing: {}", declared.operands.name));
  if (operands.size() > declared.operands.max) {
    return wrong(fmt::format("unexpected word \"{}\"", escape_control(operands[declared.operands.max])));
  }
  for (const auto& word : operands) {
    if (word.empty()) return wrong(fmt::format("empty: {}", declared.operands.name));
  }
  return done();
}

}  // namespace

result<arguments> arguments::parse(const command& declared, const std::vector<std::string>& words) {
  auto normal = normalise(declared, words);
  if (!normal) return normal.error();
  arguments out(declared);
  out.help_wanted_ = normal->help_wanted;
  if (out.help_wanted_) return out;
  auto values = read_with_boost(declared, normal->options);
  if (!values) return values.error();
  out.values_ = std::move(*values);
  out.operands_ = std::move(normal->operands);
  if (auto checked = check_values(declared, out.values_); !checked) return checked.error();
  if (auto checked = check_complete(declared, out.values_, out.operands_); !checked) return checked.error();
  return out;
}

void arguments::check_declared(std::string_view key) const {
  if (find(*declared_, key) != nullptr) return;
  fmt::print(stderr, "bug: {} has no option {}\n", declared_->name, key);
  std::abort();
}

bool arguments::has(std::string_view key) const {
  check_declared(key);
  return values_.contains(key);
}

const std::string& arguments::text(std::string_view key) const {
  static const std::string none;
  check_declared(key);
  const auto at = values_.find(key);
  return at == values_.end() ? none : at->second.front();
}

std::int64_t arguments::number(std::string_view key, std::int64_t fallback) const {
  const std::string& value = text(key);
  return value.empty() ? fallback : std::strtoll(value.c_str(), nullptr, 10);
}

std::vector<std::string> arguments::texts(std::string_view key) const {
  check_declared(key);
  const auto at = values_.find(key);
  return at == values_.end() ? std::vector<std::string>{} : at->second;
}

}  // namespace baton::commands
