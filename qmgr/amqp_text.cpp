#include "qmgr/amqp_text.hpp"

#include <proton/disposition.h>

#include <algorithm>
#include <cstring>

namespace baton::qmgr {
namespace {

std::int64_t whole_number(pn_data_t* data) {
  switch (pn_data_type(data)) {
    case PN_BYTE:
      return pn_data_get_byte(data);
    case PN_UBYTE:
      return pn_data_get_ubyte(data);
    case PN_SHORT:
      return pn_data_get_short(data);
    case PN_USHORT:
      return pn_data_get_ushort(data);
    case PN_INT:
      return pn_data_get_int(data);
    case PN_UINT:
      return pn_data_get_uint(data);
    case PN_LONG:
      return pn_data_get_long(data);
    case PN_ULONG:
      return static_cast<std::int64_t>(std::min<std::uint64_t>(pn_data_get_ulong(data), INT64_MAX));
    default:
      return 0;
  }
}

bool is_key(pn_data_t* data, std::string_view name) {
  pn_bytes_t key{0, nullptr};
  if (pn_data_type(data) == PN_SYMBOL) key = pn_data_get_symbol(data);
  if (pn_data_type(data) == PN_STRING) key = pn_data_get_string(data);
  return key.start != nullptr && std::string_view(key.start, key.size) == name;
}

}  // namespace

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

void set_condition(pn_condition_t* condition, const fault& why) {
  if (why.condition.empty()) return;
  pn_condition_set_name(condition, why.condition.c_str());
  pn_condition_set_description(condition, why.text.c_str());
}

std::uint64_t disposition_code(outcome how) {
  switch (how) {
    case outcome::accepted:
      return PN_ACCEPTED;
    case outcome::rejected:
      return PN_REJECTED;
    case outcome::released:
      return PN_RELEASED;
    case outcome::modified:
      break;
  }
  return PN_MODIFIED;
}

std::int64_t whole_number(pn_data_t* properties, std::string_view name) {
  if (properties == nullptr) return 0;
  pn_data_rewind(properties);
  if (!pn_data_next(properties) || pn_data_type(properties) != PN_MAP) return 0;
  pn_data_enter(properties);
  while (pn_data_next(properties)) {
    const bool found = is_key(properties, name);
    if (!pn_data_next(properties)) break;
    if (found) return whole_number(properties);
  }
  return 0;
}

pn_delivery_tag_t tag_of(const delivery_number& number) {
  return pn_dtag(reinterpret_cast<const char*>(&number), sizeof number);
}

delivery_number number_of(pn_delivery_tag_t tag) {
  delivery_number number = 0;
  if (tag.size == sizeof number) std::memcpy(&number, tag.start, sizeof number);
  return number;
}

delivery_settled outcome_of(pn_delivery_t* delivery) {
  delivery_settled said;
  said.delivery = number_of(pn_delivery_tag(delivery));
  said.answer = !pn_delivery_settled(delivery);
  pn_disposition_t* remote = pn_delivery_remote(delivery);
  switch (pn_delivery_remote_state(delivery)) {
    case PN_ACCEPTED:
      said.how = outcome::accepted;
      break;
    case PN_REJECTED:
      said.how = outcome::rejected;
      break;
    case PN_RELEASED:
      said.how = outcome::released;
      break;
    case PN_MODIFIED:
      said.how = outcome::modified;
      said.failed = pn_disposition_is_failed(remote);
      said.undeliverable = pn_disposition_is_undeliverable(remote);
      break;
    default:  // settled without a word: it may have been seen
      said.how = outcome::modified;
      said.failed = true;
  }
  return said;
}

}  // namespace baton::qmgr
