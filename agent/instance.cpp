#include "agent/instance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "agent/exit_codes.hpp"
#include "common/amqp/dialect.hpp"
#include "common/backoff.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "common/text.hpp"

namespace baton::agent {
namespace {

constexpr logger log{"Instance"};
constexpr std::int64_t declare_timeout_ms = 5000;
// An instance that is delivered no token for this long has found another one active.
constexpr std::int64_t standby_after_ms = 500, not_alone_after_ms = 3000;
constexpr std::int64_t quiet_poll_ms = 2;
constexpr std::int64_t again_first_ms = 100;
constexpr std::int64_t recovery_silence_ms = 30000;
constexpr std::int64_t follow_ms = 200;
// A queue manager that was lost a moment ago, and is looked for once more before others are: it answers, or is gone.
constexpr std::uint32_t second_try_ms = 1000;
constexpr std::int64_t in_use_first_ms = 10, in_use_longest_ms = 1000;  // doubled each time

lock::limits limits_of(const settings& s) {
  lock::limits l;
  l.renew_interval_ms = s.lock_renew_ms;
  l.lease_ms = s.lock_lease_ms;
  l.seed_interval_ms = s.standby_publish_ms;
  l.poll_interval_ms = s.standby_poll_ms;
  l.sleep_time_ms = s.consumer_sleep_ms;
  l.reconnect_max_ms = s.qmgr_retry_ms;
  l.addresses = s.qmgr_count;
  if (s.highly_available && s.qmgr_count > 1) l.follow_ms = follow_ms;
  l.hang_back_ms = s.highly_available ? s.hang_back_ms : 0;
  l.step_down_ms = std::max<std::int64_t>(s.shutdown_timeout_ms, 1000);
  return l;
}

amqp::qmgr_choice::options choice_of(const settings& s) {
  amqp::qmgr_choice::options o;
  o.count = static_cast<std::size_t>(s.qmgr_count);
  o.randomize = s.qmgr_randomize;
  o.first_wait_ms = again_first_ms;
  o.longest_wait_ms = s.qmgr_retry_ms;
  o.seed = std::hash<std::string>{}(random_hex(8));
  return o;
}

bool same_place(const amqp::endpoint& a, const amqp::endpoint& b) {
  return a.host == b.host && a.port == b.port;
}

std::string place_of(const amqp::endpoint& peer) {
  return fmt::format("{}:{}", peer.host, peer.port);
}

std::string about_predecessor(const formats::lock_token& t) {
  if (t.epoch == 0) return "nobody";
  return fmt::format("{} on {} with epoch {}, {}", t.instance, t.host, t.epoch,
                     t.released ? "which has given it back" : "which has not given it back");
}

}  // namespace

const char* to_string(instance::role role) {
  constexpr const char* words[] = {"starting", "standby", "active", "stopped"};
  return words[static_cast<std::size_t>(role)];
}

instance::instance(event_loop& loop, worker_pool& pool, const settings& s, locator where, handlers to)
    : loop_(loop),
      pool_(pool),
      settings_(s),
      where_(std::move(where)),
      to_(std::move(to)),
      run_(random_hex(8)),
      choice_(choice_of(s)),
      known_epoch_(pool, s.epoch_file) {
  make_keeper();
}

instance::~instance() {
  loop_.cancel(timer_);
  loop_.cancel(quiet_timer_);
  loop_.cancel(recovery_timer_);
}

void instance::make_keeper() {
  formats::lock_token about;
  about.run = run_ + "-" + random_hex(4);  // each machine counts its own epochs
  about.instance = settings_.instance;
  about.host = host_name();
  about.version = BATON_VERSION;
  about.format = formats::state_format;
  lock::keeper::handlers to;
  to.connect = [this](lock::generation as, lock::address where) { locate(as, where); };
  to.disconnect = [this] { drop_links(); };
  to.send = [this](lock::generation of, formats::lock_token token, bool durable) { send_token(of, token, durable); };
  to.settle = [this](lock::delivery id) {
    if (links_) links_->settle(inbound::lock, id, amqp::outcome::accepted);
  };
  to.activate = [this](std::uint64_t epoch, bool clean) { activate(epoch, clean); };
  to.deactivate = [this] { deactivate(); };
  to.excluded = [this](std::int64_t wait_ms) {
    log(messages::BFGAG0912W, formats::ha_queue(settings_.name), wait_ms);
    stand_by();
  };
  to.admitted = [this] { log(messages::BFGAG0913I, formats::ha_queue(settings_.name), settings_.standby_poll_ms); };
  to.changed = [this](lock::state from, lock::state to_state) { lock_changed(from, to_state); };
  keeper_ = std::make_unique<lock::keeper>(loop_, limits_of(settings_), std::move(about), std::move(to));
  // The queue of the lock knows the epochs of one queue manager; this instance knows of all where it was, and what
  // peers have told it.
  const auto known = std::max(known_epoch_.highest(), epoch_);
  if (known > 0) keeper_->feed(lock::event::outbid{known});
}

void instance::start() {
  keeper_->feed(lock::event::start{});
}

void instance::stop(int exit_code) {
  if (exit_code_ >= 0) return;
  exit_code_ = exit_code;
  loop_.cancel(timer_);
  if (keeper_->state() != lock::state::stopped) return keeper_->feed(lock::event::stop{});
  deactivate();
  drop_links();
  finish(exit_code_);
}

void instance::step_aside(std::int64_t for_ms, bool moves) {
  if (exit_code_ >= 0 || role_ != role::active) return;
  if (settings_.highly_available) {
    const auto of = links_of_;
    keeper_->feed(lock::event::step_aside{for_ms, moves});
    // What was cancelled for it must not stay so.
    if (keeper_->state() == lock::state::active) dropped(of, {errc::internal, "the lock could not be given back"});
    return;
  }
  deactivate();
  if (moves) choice_.begin_again();
  go_on_without_lock();
}

bool instance::may_step_aside() const {
  return exit_code_ < 0 && role_ == role::active && boot_time_ms() >= unfenced_from_ms_;
}

// Back to the start: for an epoch first, when what was cancelled has ended.
void instance::go_on_without_lock() {
  if (exit_code_ >= 0) return;
  if (!pool_.idle()) {
    quiet_timer_ = loop_.after(quiet_poll_ms, [this] { go_on_without_lock(); });
    return;
  }
  drop_links();
  set_role(role::starting);
  epoch_only_ = false;
  make_keeper();
  keeper_->feed(lock::event::start{});
}

void instance::heard_of(std::uint64_t epoch) {
  if (settings_.qmgr_count == 1 || role_ == role::active) return;
  known_epoch_.remember(epoch);
  keeper_->feed(lock::event::outbid{epoch});
}

void instance::outbid(std::uint64_t epoch) {
  if (epoch < epoch_) return;
  known_epoch_.remember(epoch);
  log(messages::BFGAG0922W, epoch, epoch_);
  if (settings_.highly_available) return keeper_->feed(lock::event::outbid{epoch});
  dropped(links_of_, {errc::in_use, "another instance has run with a higher epoch"});
}

// --- the connection ---

void instance::locate(lock::generation of, lock::address where) {
  if (where == lock::address::next) choice_.failed();
  if (where == lock::address::first) choice_.begin_again();
  pool_.submit([this, find = where_, of, alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    auto found = find();
    return [this, found, of, alive] {
      if (alive.expired() || exit_code_ >= 0) return;
      if (!found) return dropped(of, found.error());
      first_ = found->front();
      found_ = found->at(std::min(choice_.current(), found->size() - 1));
      if (choice_.second_try()) found_.connect_timeout_ms = std::min(found_.connect_timeout_ms, second_try_ms);
      open(of, true);
    };
  });
}

void instance::open(lock::generation of, bool with_lock) {
  const bool another = !same_place(std::exchange(told_at_, found_.peer), found_.peer);
  if (((!told_ && !not_taken_.told()) || another) && !epoch_only_) {
    log(messages::BFGAG0901I, settings_.name, settings_.qmgr, place_of(found_.peer));
  }
  to_.found_qmgr(found_.peer.host, found_.peer.port);
  links_options options;
  options.agent = settings_.name;
  options.run = run_;
  options.data_credit = settings_.window_frames * 4;
  options.with_lock = with_lock;
  options.priority = settings_.instance_priority;
  options.patience_ms = patience_ms();
  options.probe = !amqp::dialect_of(found_.peer.kind).refuses_second_consumer(formats::queue_kind::exclusive);
  links::handlers to;
  to.connected = [this, of] { connected(of); };
  to.opened = [this] {
    if (active_) to_.opened();
  };
  to.in_use = [this](const std::string& queue) { in_use(queue); };
  to.lock_refused = [this, of] { keeper_->feed(lock::event::refused{of}); };
  to.lost = [this, of](const error& why) { dropped(of, why); };
  to.received = [this, of](inbound from, amqp::delivery_id delivery, amqp::message&& content) {
    if (from == inbound::lock)
      token_delivered(of, delivery, content);
    else if (active_) {
      if (role_ != role::active) expect_recovery();
      to_.received(from, delivery, std::move(content));
    }
  };
  to.unreachable = [this](const std::string& address, const error& why) { to_.unreachable(address, why); };
  to.not_taken = [this](const std::string& queue, bool refused) { not_taken(queue, refused); };
  to.taken = [this](const std::string& queue) { taken(queue); };
  links_of_ = of;
  links_ = std::make_unique<links>(loop_, found_, std::move(options), std::move(to));
}

void instance::connected(lock::generation of) {
  if (epoch_only_) {
    to_.activated(*links_, 0);
    active_ = true;
    return open_queues();
  }
  choice_.connected();
  const std::int64_t tolerated = links_->dropped_after_ms();
  if (settings_.highly_available && tolerated == 0) log(messages::BFGAG0938W, settings_.qmgr);
  if (settings_.highly_available && tolerated > 0 && settings_.lock_lease_ms >= tolerated) {
    log(messages::BFGAG0923E,
        fmt::format(
            "lockLease ({} ms) is not shorter than the {} ms after which queue manager {} may drop a silent client: "
            "another instance could be active while the lease of this one goes on",
            settings_.lock_lease_ms, tolerated, settings_.qmgr));
    return stop(exit_cannot_run);
  }
  keeper_->feed(lock::event::connected{of, amqp::dialect_of(found_.peer.kind).has_consumer_priority()});
}

// Not destroyed at once: this may be called from inside them.
void instance::drop_links() {
  loop_.cancel(timer_);
  if (!links_) return;
  links_->close();
  loop_.post([gone = std::shared_ptr<links>(std::move(links_))] {});
}

void instance::dropped(lock::generation of, const error& why) {
  if (exit_code_ >= 0) return keeper_->feed(lock::event::lost{of});
  const bool was_ready = role_ == role::active || role_ == role::standby;
  if (why.code == errc::not_found && links_ && why.text.find("SYSTEM.FTE") != std::string::npos) {
    return declare_queues(of);
  }
  if (settings_.bindings) {
    log(messages::BFGAG0170W, settings_.name, settings_.qmgr);
    // The lock went with the connection: there is nothing to give back, and nobody to wait for.
    if (!epoch_only_) keeper_->feed(lock::event::lost{of});
    return stop(exit_qmgr_unavailable);
  }
  if (!epoch_only_) {
    keeper_->feed(lock::event::lost{of});
    return say_lost(why, was_ready, keeper_->wake_in_ms());
  }
  // The epoch was for this connection: another instance may have been active since.
  deactivate();
  drop_links();
  const std::int64_t delay = choice_.failed();
  say_lost(why, was_ready, delay);
  set_role(role::starting);
  timer_ = loop_.after(delay, [this] {
    epoch_only_ = false;
    make_keeper();
    start();
  });
}

void instance::say_lost(const error& why, bool was_ready, std::int64_t delay_ms) {
  if (was_ready)
    log(messages::BFGAG0183I, settings_.qmgr, why.text);
  else
    log(messages::BFGAG0902W, settings_.qmgr, why.text, human_duration_ms(delay_ms));
  told_ = true;
}

void instance::declare_queues(lock::generation of) {
  pool_.submit([this, of, where = found_, name = settings_.name,
                alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    const auto made = amqp::dialect_of(where.peer.kind).declare(where, formats::agent_queues(name), declare_timeout_ms);
    return [this, of, made, alive] {
      if (alive.expired()) return;
      if (made)
        log(messages::BFGAG0910I, settings_.qmgr);
      else
        log(messages::BFGAG0911E, settings_.qmgr, made.error().text);
      told_ = true;
      if (!epoch_only_) return keeper_->feed(lock::event::lost{of});
      deactivate();
      drop_links();
      timer_ = loop_.after(made ? 0 : settings_.qmgr_retry_ms, [this] { open(links_of_, false); });
    };
  });
}

void instance::not_taken(const std::string& queue, bool refused) {
  if (!not_taken_.not_taken(queue, boot_time_ms())) return;
  log(messages::BFGAG0940W, settings_.qmgr, queue,
      refused ? "it refuses them" : fmt::format("it has not answered for one in {}", human_duration_ms(patience_ms())));
}

void instance::taken(const std::string& queue) {
  if (role_ != role::active && role_ != role::standby) return;
  if (not_taken_.taken(queue, boot_time_ms())) log(messages::BFGAG0941I, settings_.qmgr);
}

// With a queue manager that does not answer for a message: less than the lease, or that would be over before anybody
// knows why.
std::int64_t instance::patience_ms() const {
  constexpr std::int64_t longest_ms = 2500;
  return settings_.highly_available ? std::min(longest_ms, settings_.lock_lease_ms / 2) : longest_ms;
}

// --- the lock ---

void instance::send_token(lock::generation of, const formats::lock_token& token, bool durable) {
  if (!links_ || links_of_ != of) return;
  amqp::message m;
  m.durable = durable;
  m.subject = formats::subject::lock_token;
  m.group_id = formats::ha_queue(settings_.name);
  m.body = to_json(token);
  links_->send(formats::ha_queue(settings_.name), std::move(m),
               [this, of, epoch = token.epoch, sequence = token.sequence](amqp::outcome how) {
                 if (how == amqp::outcome::accepted) return keeper_->feed(lock::event::accepted{of, epoch, sequence});
                 // That is no loss, and was told: it is tried again, after waits that grow.
                 if (how == amqp::outcome::rejected) return keeper_->feed(lock::event::lost{of});
                 dropped(of, {errc::internal, "the queue manager refused a lock token"});
               });
}

// Where the group makes the single active consumer (Broker-J), anybody may be delivered what is of no group: that
// proves nothing, and no instance has sent it.
void instance::token_delivered(lock::generation of, amqp::delivery_id delivery, const amqp::message& content) {
  if (content.group_id == formats::ha_queue(settings_.name)) return keeper_->delivered(of, delivery, content.body);
  if (links_) links_->settle(inbound::lock, delivery, amqp::outcome::accepted);
}

void instance::activate(std::uint64_t epoch, bool clean) {
  const bool superseded = predecessor().epoch > epoch_;
  const bool another = epoch_ > 0 && !superseded && !same_place(active_at_, found_.peer);
  // An epoch is claimed at one queue manager only: who has that token here, too, has all that was there.
  const bool one_state = another && predecessor().epoch == epoch_ && predecessor().run.starts_with(run_);
  if (one_state) log(messages::BFGAG0932I, place_of(active_at_), place_of(found_.peer));
  elsewhere_ = another && !one_state;
  epoch_ = epoch;
  if (settings_.qmgr_count > 1) known_epoch_.remember(epoch);
  log(messages::BFGAG0915I, settings_.instance, epoch, about_predecessor(predecessor()));
  if (!settings_.highly_available) {
    // The epoch is all that was wanted; giving the lock back goes on in lock_changed().
    epoch_only_ = true;
    loop_.post([this] { keeper_->feed(lock::event::stop{}); });
    return;
  }
  loop_.cancel(timer_);
  in_use_ = 0;
  unfenced_from_ms_ = clean ? 0 : boot_time_ms() + settings_.lock_lease_ms;
  to_.activated(*links_, unfenced_from_ms_);
  active_ = true;
  open_queues();
}

// Who does not keep the lock is not pushed aside by a second one that was started by mistake, nor the other way.
void instance::open_queues() {
  if (!links_) return;
  expect_recovery();
  links_->open_queues(epoch_only_ ? 0 : epoch_);
}

void instance::deactivate() {
  if (!std::exchange(active_, false)) return;
  loop_.cancel(recovery_timer_);
  to_.deactivated();
  if (links_) links_->close_queues();
  set_role(role::starting);
}

void instance::lock_changed(lock::state from, lock::state to) {
  using lock::state;
  if (to == state::standby) {
    told_ = false;
    const bool patient = settings_.highly_available;
    timer_ = loop_.after(patient ? standby_after_ms : not_alone_after_ms, [this] { stand_by(); });
  }
  if (to == state::claiming) loop_.cancel(timer_);
  if (to == state::claiming) claimed_at_ms_ = boot_time_ms();
  if (to == state::suspended && from != state::suspended) log(messages::BFGAG0914W, epoch_);
  if (to == state::disconnected) set_role(role::starting);
  // Who goes on without the lock must not say that it does nothing any more.
  if (from == state::stepping_down && to == state::disconnected) log(messages::BFGAG0916I, settings_.instance, epoch_);
  if (to == state::stepping_down && epoch_only_) return keeper_->feed(lock::event::lost{links_of_});
  if (to == state::stepping_down) wait_for_quiet();
  if (to != state::stopped) return;
  if (epoch_only_ && exit_code_ < 0) return open(links_of_, false);
  if (from == state::stepping_down) log(messages::BFGAG0916I, settings_.instance, epoch_);
  finish(exit_code_);
}

// Another instance has the lock.
void instance::stand_by() {
  if (settings_.highly_available) return set_role(role::standby);
  log(messages::BFGAG0194E);
  stop(exit_cannot_run);
}

// What the workers are in the middle of ends before the lock is given back: the next instance need not fear it then.
void instance::wait_for_quiet() {
  if (pool_.idle()) {
    loop_.post([this] { keeper_->feed(lock::event::quiet{}); });
    return;
  }
  quiet_timer_ = loop_.after(quiet_poll_ms, [this] { wait_for_quiet(); });
}

// --- the agent's queues ---

void instance::state_read() {
  if (!active_ || role_ == role::active) return;
  loop_.cancel(recovery_timer_);
  told_ = false;
  active_at_ = found_.peer;  // what was brought along is there now, and not before
  if (!epoch_only_) keeper_->feed(lock::event::recovered{links_of_});
  if (!active_) return;
  takeover_ms_ = boot_time_ms() - claimed_at_ms_;
  set_role(role::active);
  to_.ready();
  links_->take_commands();
}

// From the opening of the agent's queues until all of STATE is known something has to come all the time.
void instance::expect_recovery() {
  loop_.cancel(recovery_timer_);
  recovery_timer_ = loop_.after(recovery_silence_ms, [this] {
    dropped(links_of_, {errc::timed_out, fmt::format("nothing came from the agent's queues for {}",
                                                     human_duration_ms(recovery_silence_ms))});
  });
}

// With the lock it is most likely the instance before this one, of whose connections the queue manager has noticed the
// end of only one so far: soon, or when the other has been silent for its idle timeout.
void instance::in_use(const std::string& queue) {
  const bool quick = settings_.highly_available;
  const std::int64_t longest_ms =
      quick ? std::min(in_use_longest_ms, settings_.qmgr_retry_ms) : settings_.qmgr_retry_ms;
  const auto wait_ms = [&](int times) {
    return quick ? doubled_wait_ms(in_use_first_ms, times, longest_ms) : longest_ms;
  };
  const int before = in_use_++;
  const std::int64_t delay_ms = wait_ms(before);
  loop_.cancel(recovery_timer_);
  // Said each time by one that waits long, and once by one that does not.
  if (!quick || (delay_ms == longest_ms && (before == 0 || wait_ms(before - 1) < longest_ms))) {
    log(messages::BFGMQ1045I, queue);
    log(messages::BFGAG0035W, queue, settings_.qmgr, std::max<std::int64_t>(longest_ms / 1000, 1));
  }
  timer_ = loop_.after(delay_ms, [this] { open_queues(); });
}

void instance::set_role(role now) {
  if (std::exchange(role_, now) == now) return;
  if (settings_.highly_available && now == role::active) log(messages::BFGAG0193I, "an active");
  if (now == role::standby) {
    log(messages::BFGAG0193I, "a standby");
    log(messages::BFGAG0191I, settings_.name, settings_.instance);
  }
  to_.role_changed(now);
}

void instance::finish(int exit_code) {
  set_role(role::stopped);
  to_.ended(exit_code);
}

}  // namespace baton::agent
