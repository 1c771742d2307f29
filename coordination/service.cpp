#include "coordination/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/amqp/dialect.hpp"
#include "common/backoff.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::coordination {
namespace {

constexpr logger log{"Coordination"};
constexpr std::uint32_t publication_credit = 500, query_credit = 50;
constexpr std::int64_t retry_ms_first = 200, retry_ms_max = 10000;
constexpr std::int64_t prune_interval_ms = 3600 * 1000, day_ms = 24 * 3600 * 1000;
constexpr std::int64_t declare_timeout_ms = 5000;

}  // namespace

service::service(event_loop& loop, const service_options& options, locator where)
    : loop_(loop),
      options_(options),
      where_(std::move(where)),
      own_history_(std::make_unique<history>(options.database, options.shared)),
      history_(*own_history_),
      pool_(loop, 1) {}

service::service(service& first, locator where)
    : loop_(first.loop_),
      options_(first.options_),
      where_(std::move(where)),
      history_(first.history_),
      pool_(loop_, 1) {}

service::~service() = default;

void service::start() {
  connect();
  if (own_history_) prune();
}

void service::connect() {
  if (stopped_) return;
  const auto found = where_();
  if (!found) return retry(found.error());
  pool_.submit([this, where = *found]() -> std::function<void()> {
    const auto made =
        amqp::dialect_of(where.peer.kind).declare(where, formats::coordination_queues(), declare_timeout_ms);
    return [this, where, made] {
      if (stopped_) return;
      made ? open(where) : retry(made.error());
    };
  });
}

void service::open(const amqp::connection_options& where) {
  connection_ = std::make_unique<amqp::connection>(loop_, where, *this);
  amqp::receiver_options from;
  from.address = formats::publication_queue;
  from.credit = publication_credit;
  publications_ = connection_->open_receiver(from);
  from.address = formats::query_queue;
  from.credit = query_credit;
  queries_ = connection_->open_receiver(from);
}

void service::retry(const error& why) {
  connection_.reset();
  replies_.clear();
  batch_.clear();  // not settled, so they come again
  const std::int64_t delay = doubled_wait_ms(retry_ms_first, failures_++, retry_ms_max);
  if (!std::exchange(told_, true)) log(messages::BFGCO0002W, why.text, human_duration_ms(delay));
  loop_.after(delay, [this] { connect(); });
}

void service::connection_lost(const error& why) {
  if (stopped_) return;
  loop_.post([this, why] { retry(why); });  // not from inside the connection's own call
}

void service::link_lost(amqp::link_id link, const error& why) {
  if (replies_.lost(link)) return;  // its command has gone
  connection_->close();
  loop_.post([this, why] { retry(why); });
}

void service::link_opened(amqp::link_id link, const std::string&) {
  if (link != publications_) return;
  failures_ = 0;
  told_ = false;
  log(messages::BFGCO0001I, options_.database);
}

void service::received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) {
  connection_->add_credit(link, 1);
  if (link == queries_) {
    connection_->settle(delivery, amqp::outcome::accepted);
    return answer(content);
  }
  batch_.push_back({delivery, std::move(content)});
  if (batch_.size() == 1) {
    loop_.post([this] { store_batch(); });  // behind what has arrived meanwhile
  }
}

void service::store_batch() {
  if (batch_.empty() || !connection_) return;
  try {
    history_.begin();
    for (const auto& entry : batch_) apply(entry.content);
    history_.commit();
    for (const auto& entry : batch_) connection_->settle(entry.delivery, amqp::outcome::accepted);
  } catch (const database_error& failure) {
    log(messages::BFGCO0003E, options_.database, failure.what());
    try {
      history_.roll_back();
    } catch (const database_error&) {
      // There was nothing to roll back.
    }
    connection_->close();
    return retry({errc::io, failure.what()});
  }
  batch_.clear();
}

void service::apply(const amqp::message& content) {
  namespace subject = formats::subject;
  const std::int64_t now = wall_time_ms();
  std::string fault;
  if (content.subject == subject::agent_status) {
    const auto status = formats::read_agent_status(content.body);
    if (status)
      history_.apply(*status, now);
    else
      fault = status.error().text;
  } else if (content.subject == subject::transfer_log) {
    const auto event = formats::read_log_event(content.body);
    if (event)
      history_.apply(*event);
    else
      fault = event.error().text;
  } else if (content.subject == subject::transfer_progress) {
    const auto status = formats::read_transfer_status(content.body);
    if (status)
      history_.apply(*status);
    else
      fault = status.error().text;
  } else if (content.subject == subject::agent_takeover) {
    const auto event = formats::read_takeover(content.body);
    if (event)
      history_.apply(*event);
    else
      fault = event.error().text;
  } else if (content.subject == subject::agent_deleted) {
    const auto body = nlohmann::json::parse(content.body, nullptr, false);
    if (body.is_object() && body.contains("agent") && body["agent"].is_string())
      history_.remove_agent(body["agent"]);
    else
      fault = "agent.deleted: no agent is named";
  } else {
    fault = "its subject '" + content.subject + "' is not known";
  }
  if (!fault.empty()) log(messages::BFGCO0004W, fault);
}

void service::answer(const amqp::message& question) {
  if (question.reply_to.empty()) return;
  store_batch();  // an answer includes all that came before the question
  if (!connection_) return;
  formats::answer found;
  const auto query = formats::read_query(question.body);
  try {
    if (query) found = history_.find(*query, wall_time_ms());
  } catch (const database_error& failure) {
    found.result_code = 1;
    found.text = failure.what();
  }
  if (!query) {
    found.result_code = 1;
    found.text = query.error().text;
  }
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::query;
  m.correlation_id = question.correlation_id;
  m.body = to_json(found);
  replies_.send(*connection_, question.reply_to, std::move(m));
}

void service::prune() {
  if (options_.history_days > 0) {
    try {
      if (history_.prune(wall_time_ms() - options_.history_days * day_ms)) {
        loop_.post([this] { prune(); });
        return;
      }
    } catch (const database_error& failure) {
      log(messages::BFGCO0003E, options_.database, failure.what());
    }
  }
  loop_.after(prune_interval_ms, [this] { prune(); });
}

void service::stop() {
  stopped_ = true;
  if (connection_) connection_->close();
  if (own_history_) loop_.stop();
}

struct background_service::running {
  event_loop loop;
  std::unique_ptr<service> inside;
  std::thread thread;
  bool told = false;

  // The queue manager goes on without it meanwhile.
  void begin(const service_options& options, const service::locator& where, int failures) {
    try {
      inside = std::make_unique<service>(loop, options, where);
    } catch (const std::exception& failure) {
      if (!std::exchange(told, true)) log(messages::BFGCO0003E, options.database, failure.what());
      loop.after(doubled_wait_ms(retry_ms_first, failures, retry_ms_max),
                 [this, options, where, failures] { begin(options, where, failures + 1); });
      return;
    }
    inside->start();
  }
};

background_service::background_service(service_options options, service::locator where)
    : running_(std::make_unique<running>()) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(options.database).parent_path(), ignored);
  running_->thread = std::thread([r = running_.get(), options = std::move(options), where = std::move(where)] {
    r->loop.post([r, options, where] { r->begin(options, where, 0); });
    try {
      r->loop.run();
    } catch (const std::exception& failure) {
      log(messages::BFGCO0003E, options.database, failure.what());  // the queue manager goes on without it
    }
    r->inside.reset();
  });
}

background_service::background_service(background_service&&) noexcept = default;

background_service::~background_service() {
  if (!running_) return;
  running_->loop.post([r = running_.get()] { r->inside ? r->inside->stop() : r->loop.stop(); });
  running_->thread.join();
}

}  // namespace baton::coordination
