// Small translations between Proton's C types and plain values. AMQP thread only.
#pragma once

#include <proton/codec.h>
#include <proton/condition.h>
#include <proton/delivery.h>
#include <proton/link.h>

#include <string>
#include <string_view>

#include "qmgr/actions.hpp"

namespace baton::qmgr {

std::string text_or_empty(const char* text);
void set_condition(pn_condition_t* condition, const fault& why);
std::uint64_t disposition_code(outcome how);
// A property of a link or connection that is a whole number; 0 when the peer did not set it.
std::int64_t whole_number(pn_data_t* properties, std::string_view name);
// Delivery tags of what we send are their numbers.
pn_delivery_tag_t tag_of(const delivery_number& number);
delivery_number number_of(pn_delivery_tag_t tag);
// The consumer's word on a delivery, as it stands.
delivery_settled outcome_of(pn_delivery_t* delivery);

}  // namespace baton::qmgr
