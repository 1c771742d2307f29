#include "client.hpp"

#include <cstdlib>
#include <fstream>

#include "common/random.hpp"

namespace baton::test {

amqp::connection_options broker() {
  const char* file = std::getenv("BATON_BROKER_ADDRESS");
  if (file == nullptr) FAIL("BATON_BROKER_ADDRESS does not name the address file of a private broker");
  std::ifstream in(file);
  std::map<std::string, std::string> about;
  for (std::string line; std::getline(in, line);) {
    const auto at = line.find('=');
    if (at != std::string::npos) about[line.substr(0, at)] = line.substr(at + 1);
  }
  if (about.count("port") == 0) FAIL(file << ": no address: scripts/broker KIND start");
  amqp::connection_options out;
  out.name = "test";
  out.peer.kind = amqp::broker_kind_of(about["kind"]).value();
  out.peer.host = about["host"];
  out.peer.port = static_cast<std::uint16_t>(std::stoi(about["port"]));
  out.peer.management_url = about["management"];
  out.peer.user = about["user"];
  out.peer.password = about["password"];
  return out;
}

const amqp::dialect& speech() {
  return amqp::dialect_of(broker().peer.kind);
}

own_queue::own_queue(formats::queue_kind kind, bool priorities) : name("SYSTEM.FTE.TEST." + random_hex(8)) {
  const auto made = speech().declare(broker(), {{name, kind, 0, false, priorities}}, deadline_ms);
  INFO((made ? "" : made.error().text));
  REQUIRE(made.ok());
}

own_queue::~own_queue() {
  (void)speech().remove(broker(), {name}, deadline_ms);
}

}  // namespace baton::test
