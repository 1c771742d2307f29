#include "client.hpp"

#include <cstdlib>
#include <fstream>

#include "common/random.hpp"

namespace baton::test {

amqp::connection_options rabbitmq() {
  const char* file = std::getenv("BATON_RABBITMQ_ADDRESS");
  if (file == nullptr) FAIL("BATON_RABBITMQ_ADDRESS does not name the address file of a private RabbitMQ");
  std::ifstream in(file);
  std::map<std::string, std::string> about;
  for (std::string line; std::getline(in, line);) {
    const auto at = line.find('=');
    if (at != std::string::npos) about[line.substr(0, at)] = line.substr(at + 1);
  }
  if (about.count("port") == 0) FAIL(file << ": no address: scripts/broker rabbitmq start");
  amqp::connection_options out;
  out.name = "test";
  out.peer.kind = amqp::broker_kind::rabbitmq;
  out.peer.host = about["host"];
  out.peer.port = static_cast<std::uint16_t>(std::stoi(about["port"]));
  out.peer.management_url = about["management"];
  out.peer.user = about["user"];
  out.peer.password = about["password"];
  return out;
}

own_queue::own_queue(formats::queue_kind kind, bool priorities) : name("TEST." + random_hex(8)) {
  const auto made = amqp::rabbitmq_dialect().declare(rabbitmq(), {{name, kind, 0, false, priorities}}, deadline_ms);
  INFO((made ? "" : made.error().text));
  REQUIRE(made.ok());
}

own_queue::~own_queue() {
  (void)amqp::rabbitmq_dialect().remove(rabbitmq(), {name}, deadline_ms);
}

}  // namespace baton::test
