#include "qmgr/amqp_connection.hpp"

#include <fmt/format.h>
#include <proton/disposition.h>
#include <proton/terminus.h>
#include <proton/transport.h>

#include <algorithm>

#include "qmgr/amqp_text.hpp"

namespace baton::qmgr {
namespace {

// What Proton may hold of one session for a peer that does not read; more waits here, where it is not copied yet.
constexpr std::size_t session_bytes_max = 1u << 20;
// Of one consumer: when so much was sent the core is told without delay, for it hands out no more than a limit that is
// far above this.
constexpr std::size_t untold_bytes_max = 1u << 16;
// The longest silence that a client can ask to be tolerated.
constexpr std::int64_t silence_ms_max = 60000;

bool is_terminal(std::uint64_t state) {
  return state == PN_ACCEPTED || state == PN_REJECTED || state == PN_RELEASED || state == PN_MODIFIED;
}

}  // namespace

amqp_connection::amqp_connection(pn_connection_t* connection, connection_id id, const settings& options,
                                 std::uint64_t& last_link, std::vector<event>& events)
    : connection_(connection),
      id_(id),
      options_(options),
      last_link_(last_link),
      events_(events),
      inbox_(std::make_shared<mailbox>(connection)) {}

void amqp_connection::handle(pn_event_t* happened) {
  switch (pn_event_type(happened)) {
    case PN_CONNECTION_REMOTE_OPEN:
      return on_remote_open();
    case PN_CONNECTION_REMOTE_CLOSE:
      return pn_connection_close(connection_);
    case PN_CONNECTION_WAKE:
      return on_wake();
    case PN_TRANSPORT_CLOSED:
      return on_transport_closed();
    case PN_SESSION_REMOTE_OPEN:
      return pn_session_open(pn_event_session(happened));
    case PN_SESSION_REMOTE_CLOSE:
      return on_session_gone(pn_event_session(happened));
    case PN_LINK_REMOTE_OPEN:
      return on_link_open(pn_event_link(happened));
    case PN_LINK_REMOTE_CLOSE:
      return on_link_gone(pn_event_link(happened), true);
    case PN_LINK_REMOTE_DETACH:
      return on_link_gone(pn_event_link(happened), false);
    case PN_DELIVERY:
      return on_delivery(pn_event_delivery(happened));
    case PN_LINK_FLOW: {
      auto* state = static_cast<link_state*>(pn_link_get_context(pn_event_link(happened)));
      if (state != nullptr && pn_link_is_sender(state->link)) on_flow(*state);
      return pump_blocked();
    }
    default:
      return;
  }
}

void amqp_connection::on_remote_open() {
  pn_connection_set_container(connection_, options_.container_id.c_str());
  const std::int64_t asked = whole_number(pn_connection_remote_properties(connection_), "idle-timeout");
  pn_transport_t* transport = pn_connection_transport(connection_);
  if (asked > pn_transport_get_idle_timeout(transport)) {
    pn_transport_set_idle_timeout(transport, static_cast<pn_millis_t>(std::min(asked, silence_ms_max)));
  }
  pn_connection_open(connection_);
  if (!refusal_.condition.empty()) {
    set_condition(pn_connection_condition(connection_), refusal_);
    return pn_connection_close(connection_);
  }
  events_.push_back(connection_opened{id_, text_or_empty(pn_connection_remote_container(connection_))});
}

void amqp_connection::on_transport_closed() {
  inbox_->close();
  links_.clear();
  blocked_.clear();
  events_.push_back(connection_gone{id_});
}

void amqp_connection::on_session_gone(pn_session_t* session) {
  std::vector<link_state*> gone;
  for (const auto& [id, state] : links_) {
    if (pn_link_session(state->link) == session) gone.push_back(state.get());
  }
  for (link_state* state : gone) forget(*state);
  pn_session_close(session);
  pn_session_free(session);
}

void amqp_connection::on_link_open(pn_link_t* link) {
  if (!refusal_.condition.empty()) return;
  auto state = std::make_unique<link_state>();
  state->id = ++last_link_;
  state->link = link;
  pn_link_set_context(link, state.get());
  const link_id id = state->id;
  links_.emplace(id, std::move(state));
  pn_link_is_sender(link) ? attach_consumer(link, id) : attach_producer(link, id);
}

void amqp_connection::attach_consumer(pn_link_t* link, link_id id) {
  pn_terminus_t* source = pn_link_remote_source(link);
  consumer_attached made;
  made.connection = id_;
  made.link = id;
  made.address = text_or_empty(pn_terminus_get_address(source));
  made.dynamic = pn_terminus_is_dynamic(source);
  made.browse = pn_terminus_get_distribution_mode(source) == PN_DIST_MODE_COPY;
  made.presettled = pn_link_remote_snd_settle_mode(link) == PN_SND_SETTLED;
  pn_data_t* about = pn_link_remote_properties(link);
  made.priority = static_cast<int>(std::clamp<std::int64_t>(whole_number(about, "priority"), INT32_MIN, INT32_MAX));
  made.epoch = static_cast<std::uint64_t>(std::max<std::int64_t>(whole_number(about, "epoch"), 0));
  made.exclusive = whole_number(about, "exclusive") != 0;
  events_.push_back(std::move(made));
}

void amqp_connection::attach_producer(pn_link_t* link, link_id id) {
  pn_terminus_t* target = pn_link_remote_target(link);
  if (pn_terminus_get_type(target) == PN_COORDINATOR) {
    forget(*find(id));
    return end_link(link, {"amqp:not-implemented", "this queue manager has no transactions"});
  }
  events_.push_back(producer_attached{id_, id, text_or_empty(pn_terminus_get_address(target))});
}

// The peer's detach or close; or the answer to ours, then there is no state any more.
void amqp_connection::on_link_gone(pn_link_t* link, bool closed) {
  if (auto* state = static_cast<link_state*>(pn_link_get_context(link))) {
    forget(*state);
    closed ? pn_link_close(link) : pn_link_detach(link);
  }
  pn_link_free(link);
}

void amqp_connection::forget(link_state& state) {
  events_.push_back(link_gone{state.id});
  pn_link_set_context(state.link, nullptr);
  blocked_.erase(state.id);
  links_.erase(state.id);
}

void amqp_connection::end_link(pn_link_t* link, const fault& why) {
  pn_link_open(link);  // a refusal is an attach without source and target, and a detach with the reason
  set_condition(pn_link_condition(link), why);
  pn_link_close(link);
}

void amqp_connection::on_flow(link_state& state) {
  const std::uint64_t limit = state.used + static_cast<std::uint64_t>(std::max(pn_link_credit(state.link), 0));
  const bool drain = pn_link_get_drain(state.link);
  if (limit == state.told_limit && drain == state.told_drain) return;
  state.told_limit = limit;
  state.told_drain = drain;
  events_.push_back(credit_given{state.id, limit, drain});
}

void amqp_connection::on_delivery(pn_delivery_t* delivery) {
  auto* state = static_cast<link_state*>(pn_link_get_context(pn_delivery_link(delivery)));
  if (state == nullptr) return pass_over(delivery);
  if (pn_link_is_receiver(state->link)) {
    if (pn_delivery_readable(delivery)) on_arrival(*state, delivery);
  } else if (pn_delivery_updated(delivery)) {
    on_outcome(*state, delivery);
  }
}

// Of a link that has been ended: what the peer still sends is not kept.
void amqp_connection::pass_over(pn_delivery_t* delivery) {
  if (pn_link_is_receiver(pn_delivery_link(delivery))) pn_delivery_settle(delivery);
}

void amqp_connection::on_arrival(link_state& state, pn_delivery_t* delivery) {
  pn_link_t* link = state.link;
  const std::size_t size = pn_delivery_pending(delivery);
  if (size > options_.message_bytes_max) {
    forget(state);
    end_link(link, {"amqp:link:message-size-exceeded",
                    fmt::format("the largest message is {} bytes", options_.message_bytes_max)});
    return pass_over(delivery);
  }
  if (pn_delivery_aborted(delivery)) {
    pn_delivery_settle(delivery);
    return pn_link_flow(link, 1);
  }
  if (pn_delivery_partial(delivery)) return;
  auto body = std::make_shared<payload>(size);
  pn_link_recv(link, body->data(), size);
  pn_link_advance(link);
  const auto head = read_header(body->view());
  const delivery_number number = state.first_arrival + state.arrivals.size();
  state.arrivals.push_back(delivery);
  if (!head || size == 0) {
    settle(state, number, outcome::rejected, {"amqp:decode-error", "the message has no readable header section"});
    return pn_link_flow(link, 1);
  }
  const bool presettled = pn_delivery_settled(delivery);
  events_.push_back(message_arrived{state.id, number, presettled, *head, std::move(body)});
  if (presettled) settle(state, number, outcome::accepted, {});
}

void amqp_connection::on_outcome(link_state& state, pn_delivery_t* delivery) {
  if (!is_terminal(pn_delivery_remote_state(delivery)) && !pn_delivery_settled(delivery)) return;
  delivery_settled said = outcome_of(delivery);
  said.link = state.id;
  const bool first = !state.unanswered.contains(said.delivery);
  if (said.answer) {
    state.unanswered.emplace(said.delivery, delivery);
  } else {
    state.unanswered.erase(said.delivery);
    pn_delivery_settle(delivery);
  }
  if (first) events_.push_back(said);
}

void amqp_connection::give_up_opening() {
  if (has_opened()) return;
  given_up_ = true;
  pn_connection_wake(connection_);
}

void amqp_connection::on_wake() {
  if (given_up_ && !has_opened()) {
    pn_transport_t* transport = pn_connection_transport(connection_);
    pn_transport_close_tail(transport);
    pn_transport_close_head(transport);
    return;
  }
  for (action& one : inbox_->take()) {
    std::visit([this](auto& what) { act(what); }, one);
  }
}

amqp_connection::link_state* amqp_connection::find(link_id link) {
  const auto found = links_.find(link);
  return found == links_.end() ? nullptr : found->second.get();
}

void amqp_connection::act(accept_link& what) {
  link_state* state = find(what.link);
  if (state == nullptr) return;
  pn_link_t* link = state->link;
  pn_terminus_copy(pn_link_source(link), pn_link_remote_source(link));
  pn_terminus_copy(pn_link_target(link), pn_link_remote_target(link));
  pn_link_set_snd_settle_mode(link, pn_link_remote_snd_settle_mode(link));
  pn_link_set_rcv_settle_mode(link, pn_link_remote_rcv_settle_mode(link));
  if (pn_link_is_sender(link)) {
    pn_terminus_set_address(pn_link_source(link), what.address.c_str());
  } else {
    pn_terminus_set_address(pn_link_target(link), what.address.c_str());
    pn_link_set_max_message_size(link, options_.message_bytes_max);
  }
  pn_link_open(link);
}

void amqp_connection::act(close_link& what) {
  link_state* state = find(what.link);
  if (state == nullptr) return;
  pn_link_t* link = state->link;
  forget(*state);
  end_link(link, what.why);
}

void amqp_connection::act(grant_credit& what) {
  if (link_state* state = find(what.link)) pn_link_flow(state->link, static_cast<int>(what.count));
}

void amqp_connection::act(settle_arrival& what) {
  if (link_state* state = find(what.link)) settle(*state, what.delivery, what.how, what.why);
}

void amqp_connection::settle(link_state& state, delivery_number number, outcome how, const fault& why) {
  if (number < state.first_arrival || number - state.first_arrival >= state.arrivals.size()) return;
  pn_delivery_t*& delivery = state.arrivals[number - state.first_arrival];
  if (delivery == nullptr) return;
  set_condition(pn_disposition_condition(pn_delivery_local(delivery)), why);
  pn_delivery_update(delivery, disposition_code(how));
  pn_delivery_settle(delivery);
  delivery = nullptr;
  while (!state.arrivals.empty() && state.arrivals.front() == nullptr) {
    state.arrivals.pop_front();
    ++state.first_arrival;
  }
}

void amqp_connection::act(deliver& what) {
  link_state* state = find(what.link);
  if (state == nullptr) return;
  state->waiting.push_back({std::move(what), false});
  pump(*state);
}

void amqp_connection::act(credit_drained& what) {
  link_state* state = find(what.link);
  if (state == nullptr) return;
  state->waiting.push_back({{}, true});
  pump(*state);
}

void amqp_connection::act(settle_delivery& what) {
  link_state* state = find(what.link);
  if (state == nullptr) return;
  const auto found = state->unanswered.find(what.delivery);
  if (found == state->unanswered.end()) return;
  pn_delivery_update(found->second, pn_delivery_remote_state(found->second));
  pn_delivery_settle(found->second);
  state->unanswered.erase(found);
}

void amqp_connection::act(close_connection& what) {
  set_condition(pn_connection_condition(connection_), what.why);
  pn_connection_close(connection_);
}

void amqp_connection::pump(link_state& state) {
  pn_session_t* session = pn_link_session(state.link);
  while (!state.waiting.empty()) {
    const outgoing& next = state.waiting.front();
    if (next.end_of_drain) {
      state.used += static_cast<std::uint64_t>(pn_link_drained(state.link));
    } else if (pn_link_credit(state.link) > 0 && pn_session_outgoing_bytes(session) < session_bytes_max) {
      send(state, next.what);
    } else {
      break;
    }
    state.waiting.pop_front();
  }
  state.waiting.empty() ? (void)blocked_.erase(state.id) : (void)blocked_.insert(state.id);
  if (state.told_sent == state.sent) return;
  state.told_sent = state.sent;
  events_.push_back(deliveries_sent{state.id, state.sent, state.untold_bytes >= untold_bytes_max});
  if (state.untold_bytes >= untold_bytes_max) state.untold_bytes = 0;
}

void amqp_connection::pump_blocked() {
  const std::vector<link_id> waiting(blocked_.begin(), blocked_.end());
  for (const link_id link : waiting) pump(*find(link));
}

void amqp_connection::send(link_state& state, const deliver& what) {
  pn_delivery_t* delivery = pn_delivery(state.link, tag_of(what.delivery));
  const std::string head = write_header(what.head);
  const std::string_view rest = what.body->view().substr(what.body_offset);
  pn_link_send(state.link, head.data(), head.size());
  pn_link_send(state.link, rest.data(), rest.size());
  pn_link_advance(state.link);
  if (what.presettled) pn_delivery_settle(delivery);
  ++state.used;
  state.sent = what.delivery;
  state.untold_bytes += head.size() + rest.size();
}

}  // namespace baton::qmgr
