// Small translations between Proton's C types and plain values. AMQP thread only.
#pragma once

#include <proton/condition.h>
#include <proton/delivery.h>
#include <proton/link.h>

#include <string>

#include "qmgr/actions.hpp"

namespace baton::qmgr {

std::string text_or_empty(const char* text);
void set_condition(pn_condition_t* condition, const fault& why);
std::uint64_t disposition_code(outcome how);
// The number that a consumer asked for with the link property "priority"; 0 when it did not.
int consumer_priority(pn_link_t* link);
// Delivery tags of what we send are their numbers.
pn_delivery_tag_t tag_of(const delivery_number& number);
delivery_number number_of(pn_delivery_tag_t tag);
// The consumer's word on a delivery, as it stands.
delivery_settled outcome_of(pn_delivery_t* delivery);

}  // namespace baton::qmgr
