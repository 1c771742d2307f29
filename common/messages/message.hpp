// The catalogue of everything that Baton says: one entry per message id, in the .def files of this folder, by
// component. docs/messages.md is generated from it. Ids follow the field's form: BFG, two letters of component, four
// digits, and the severity I, W or E; where IBM MFT has a message with the same meaning it keeps that id.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>

namespace baton {

struct message {
  std::string_view id;
  std::string_view text;         // with {} for each insert
  std::string_view explanation;  // what it means
  std::string_view response;     // what to do
  char severity() const { return id.back(); }
};

// Every message of the catalogue, by id. Any thread.
std::span<const message* const> all_messages();

// "BFGAG0059I: the text", with the inserts put in. Control characters in inserts are escaped by the log, not here.
template <class... Inserts>
std::string render(const message& m, const Inserts&... inserts) {
  return fmt::format("{}: {}", m.id, fmt::vformat(m.text, fmt::make_format_args(inserts...)));
}

// Just the text, without the id.
template <class... Inserts>
std::string render_text(const message& m, const Inserts&... inserts) {
  return fmt::vformat(m.text, fmt::make_format_args(inserts...));
}

namespace messages {
#define BATON_MESSAGE(id, text, explanation, response) inline constexpr message id{#id, text, explanation, response};
#include "common/messages/agent.def"
#include "common/messages/commands.def"
#include "common/messages/coordination.def"
#include "common/messages/properties.def"
#include "common/messages/qmgr.def"
#include "common/messages/transfer.def"
#undef BATON_MESSAGE
}  // namespace messages

}  // namespace baton
