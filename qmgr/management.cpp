#include "qmgr/management.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/log.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"

namespace baton::qmgr {
namespace {

using nlohmann::json;
constexpr logger log{"QueueManager"};
constexpr std::size_t name_length_max = 255;

// What is wrong with a request; becomes its reply.
struct refusal {
  int status;
  std::string text;
};

json parse_object(const std::string& text) {
  if (trim(text).empty()) return json::object();
  json read = json::parse(text, nullptr, false);
  if (read.is_discarded()) throw refusal{400, "the body is not JSON"};
  if (!read.is_object()) throw refusal{400, "the body is not a JSON object"};
  return read;
}

std::string word(const json& body, const char* key) {
  const json& value = body.at(key);
  if (!value.is_string()) throw refusal{400, fmt::format("{} must be a text", key)};
  return value.get<std::string>();
}

std::uint64_t count(const json& body, const char* key) {
  const json& value = body.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
    throw refusal{400, fmt::format("{} must be a whole number, 0 or more", key)};
  }
  return value.get<std::uint64_t>();
}

bool truth(const json& body, const char* key) {
  if (!body.contains(key)) return false;
  if (!body.at(key).is_boolean()) throw refusal{400, fmt::format("{} must be true or false", key)};
  return body.at(key).get<bool>();
}

void check_keys(const json& body, std::initializer_list<std::string_view> known) {
  for (const auto& [key, unused] : body.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw refusal{400, fmt::format("the body has an unknown attribute \"{}\"", escape_control(key))};
    }
  }
}

void check_name(const std::string& name) {
  if (name.empty()) throw refusal{400, "the application property queue is missing"};
  if (name.size() > name_length_max)
    throw refusal{400, fmt::format("the queue's name is longer than {} bytes", name_length_max)};
  if (escape_control(name) != name ||
      json(name).dump(-1, ' ', false, json::error_handler_t::replace) != "\"" + name + "\"") {
    throw refusal{400, "the queue's name has characters that a name may not have"};
  }
}

queue_attributes read_attributes(const json& body) {
  check_keys(body, {"type", "maxMessages", "maxBytes", "overflow", "deadLetterQueue", "update"});
  queue_attributes read;
  if (body.contains("type")) {
    const auto type = queue_type_of(word(body, "type"));
    if (!type) throw refusal{400, "type must be shared, exclusive or single-active"};
    read.type = *type;
  }
  if (body.contains("overflow")) {
    const auto policy = overflow_policy_of(word(body, "overflow"));
    if (!policy) throw refusal{400, "overflow must be drop-oldest or refuse"};
    read.overflow = *policy;
  }
  if (body.contains("maxMessages")) read.messages_max = count(body, "maxMessages");
  if (body.contains("maxBytes")) read.bytes_max = count(body, "maxBytes");
  if (body.contains("deadLetterQueue") && !body.at("deadLetterQueue").is_null()) {
    read.dead_letter_queue = word(body, "deadLetterQueue");
  }
  return read;
}

json describe(const broker& core, const queue_state& queue, std::int64_t now_ms) {
  const auto oldest = queue.messages.oldest_arrival_ms();
  const link_id holder = queue.attributes.type == queue_type::exclusive && !queue.consumers.empty()
                             ? queue.consumers.front()
                             : queue.active;
  const std::string& dead_letters = queue.attributes.dead_letter_queue;
  return {{"name", queue.name},
          {"type", to_string(queue.attributes.type)},
          {"durable", queue.durable()},
          {"depth", queue.messages.depth()},
          {"bytes", queue.messages.bytes()},
          {"unsettled", queue.messages.held_count()},
          {"consumers", queue.consumers.size()},
          {"producers", queue.producers.size()},
          {"oldestMs", oldest ? json(std::max<std::int64_t>(now_ms - *oldest, 0)) : json()},
          {"activeConsumer", holder != 0 ? json(core.container_of(holder)) : json()},
          {"maxMessages", queue.attributes.messages_max},
          {"maxBytes", queue.attributes.bytes_max},
          {"overflow", to_string(queue.attributes.overflow)},
          {"deadLetterQueue", dead_letters.empty() ? json() : json(dead_letters)},
          {"enqueued", queue.counters.enqueued},
          {"dequeued", queue.counters.dequeued},
          {"expired", queue.counters.expired},
          {"dropped", queue.counters.dropped}};
}

management_reply reply_of(int status, std::string description, const json& body = json::object()) {
  // Container ids come from peers and need not be UTF-8.
  return {status, std::move(description), body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

management_reply reply_of(const error& failure) {
  return reply_of(500, failure.text);
}

queue_state& existing(broker& core, const std::string& name) {
  check_name(name);
  queue_state* found = core.find(name);
  if (found == nullptr) throw refusal{404, fmt::format("there is no queue {}", name)};
  return *found;
}

}  // namespace

management::management(broker& core, store& disk, manager_facts& facts, std::function<void(bool)> stop)
    : core_(core), disk_(disk), facts_(facts), stop_(std::move(stop)) {}

management_reply management::answer(const management_request& request, std::int64_t now_ms) {
  try {
    if (request.operation == "declare") return declare(request);
    if (request.operation == "delete") return remove(request);
    if (request.operation == "purge") return purge(request);
    if (request.operation == "list") return list(now_ms);
    if (request.operation == "get") return get(request, now_ms);
    if (request.operation == "stop") return stop(request);
    if (request.operation.empty()) return reply_of(400, "the application property operation is missing");
    return reply_of(400, fmt::format("there is no operation \"{}\"", escape_control(request.operation)));
  } catch (const refusal& why) {
    return reply_of(why.status, why.text);
  } catch (const std::exception& failure) {
    return reply_of(400, fmt::format("the request cannot be carried out: {}", failure.what()));
  }
}

management_reply management::declare(const management_request& request) {
  check_name(request.queue);
  if (request.queue.starts_with('$') || request.queue.starts_with("TEMP.")) {
    throw refusal{400, "names that start with $ or TEMP. belong to the queue manager"};
  }
  const json body = parse_object(request.body);
  const queue_attributes wanted = read_attributes(body);
  if (wanted.dead_letter_queue == request.queue) throw refusal{400, "a queue cannot be its own deadLetterQueue"};
  queue_state* queue = core_.find(request.queue);
  if (queue == nullptr) {
    const auto id = disk_.add_queue(request.queue, wanted);
    if (!id) return reply_of(id.error());
    core_.define_queue(*id, request.queue, wanted);
    log(messages::BFGQM0010I, request.queue, to_string(wanted.type));
    return reply_of(200, "declared");
  }
  if (queue->attributes == wanted) return reply_of(200, "exists already");
  if (!truth(body, "update"))
    throw refusal{409, fmt::format("the queue {} exists with other attributes", request.queue)};
  if (queue->attributes.type != wanted.type && !queue->consumers.empty()) {
    throw refusal{409, fmt::format("the type of {} cannot change while it has consumers", request.queue)};
  }
  if (const status changed = disk_.change_queue(queue->id, wanted); !changed) return reply_of(changed.error());
  core_.change_queue(*queue, wanted);
  log(messages::BFGQM0010I, request.queue, to_string(wanted.type));
  return reply_of(200, "updated");
}

management_reply management::remove(const management_request& request) {
  const queue_state& queue = existing(core_, request.queue);
  if (!queue.durable()) throw refusal{400, "a temporary queue ends with its connection"};
  if (const status removed = disk_.delete_queue(queue.id); !removed) return reply_of(removed.error());
  const std::size_t depth = queue.messages.depth();
  core_.delete_queue(request.queue);
  log(messages::BFGQM0011I, request.queue, depth);
  return reply_of(200, "deleted");
}

management_reply management::purge(const management_request& request) {
  queue_state& queue = existing(core_, request.queue);
  store_changes stored;
  for (const position at : queue.messages.ready_positions()) stored.removed.push_back(at.sequence);
  if (const status removed = disk_.commit(stored); !removed) return reply_of(removed.error());
  const std::size_t gone = core_.purge(queue);
  log(messages::BFGQM0012I, request.queue, gone);
  return reply_of(200, "purged", {{"purged", gone}});
}

management_reply management::list(std::int64_t now_ms) {
  json queues = json::array();
  for (const auto& [name, queue] : core_.queues()) queues.push_back(describe(core_, *queue, now_ms));
  return reply_of(200, "ok",
                  {{"queues", std::move(queues)},
                   {"qmgr",
                    {{"name", facts_.name},
                     {"version", BATON_VERSION},
                     {"pid", getpid()},
                     {"port", facts_.port},
                     {"uptimeMs", boot_time_ms() - facts_.started_ms},
                     {"connections", core_.connection_count()},
                     {"memoryBytes", core_.memory_bytes()},
                     {"storeBytes", disk_.bytes()}}}});
}

management_reply management::get(const management_request& request, std::int64_t now_ms) {
  return reply_of(200, "ok", {{"queues", {describe(core_, existing(core_, request.queue), now_ms)}}});
}

management_reply management::stop(const management_request& request) {
  const json body = parse_object(request.body);
  check_keys(body, {"immediate"});
  const bool immediate = truth(body, "immediate");
  stop_(immediate);
  return reply_of(200, immediate ? "stopping at once" : "stopping");
}

}  // namespace baton::qmgr
