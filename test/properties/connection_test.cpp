#include "properties/connection.hpp"

#include <catch2/catch.hpp>

#include "common/amqp/dialect.hpp"
#include "properties/atomic_file.hpp"
#include "temporary.hpp"

using namespace baton;

namespace {

property_set agent(const std::string& more) {
  auto read = property_set::parse("agentName=A\nagentQMgr=QM1\n" + more, "agent.properties", agent_properties());
  REQUIRE(read.errors.empty());
  return read.values;
}

}  // namespace

TEST_CASE("connection: without a host it is the local queue manager's address") {
  const test::temporary_directory directory;
  const layout where(directory.path());
  auto found = agent_qmgr_connection(agent(""), where);
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == errc::unreachable);
  CHECK(found.error().text.find("fteStartQMgr QM1") != std::string::npos);
  REQUIRE(write_file_atomically(where.qmgr_address("QM1"), "127.0.0.1 40001\n").ok());
  found = agent_qmgr_connection(agent(""), where);
  REQUIRE(found.ok());
  CHECK(found->bindings);
  CHECK(found->qmgr == "QM1");
  CHECK(found->peer.host == "127.0.0.1");
  CHECK(found->peer.port == 40001);
  for (const char* bad : {"", "x", "127.0.0.1 0", "127.0.0.1 99999", "127.0.0.1 x", "a b c"}) {
    INFO(bad);
    REQUIRE(write_file_atomically(where.qmgr_address("QM1"), bad).ok());
    CHECK_FALSE(agent_qmgr_connection(agent(""), where).ok());
  }
}

TEST_CASE("connection: with a host it is a client, with TLS when a trust store is named") {
  const layout where("/nowhere");
  const auto found =
      agent_qmgr_connection(agent("agentQMgrHost=mq.example\nagentQMgrPort=5671\nagentSslTrustStore=/ca.pem\n"), where);
  REQUIRE(found.ok());
  CHECK_FALSE(found->bindings);
  CHECK(found->peer.host == "mq.example");
  CHECK(found->peer.port == 5671);
  CHECK(found->peer.tls.trust == "/ca.pem");
  CHECK(agent_qmgr_connection(agent("agentQMgrHost=h\nagentSslCertificate=/c\n"), where).error().code ==
        errc::bad_property);
}

TEST_CASE("connection: credentials come from the file that the properties name") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "c.xml";
  const std::string more = "agentQMgrHost=h\nagentQMgrAuthenticationCredentialsFile=" + file.native() + "\n";
  CHECK_FALSE(agent_qmgr_connection(agent(more), layout("/")).ok());
  REQUIRE(write_file_atomically(
              file, "<mqmftCredentials><qmgr name='QM1' mqUserId='u' mqPassword='p'/></mqmftCredentials>", 0600)
              .ok());
  const auto found = agent_qmgr_connection(agent(more), layout("/"));
  REQUIRE(found.ok());
  CHECK(found->peer.user == "u");
  CHECK(found->peer.password == "p");
}

TEST_CASE("connection: the kind of queue manager comes with the address of its management") {
  const std::string host = "agentQMgrHost=mq.example\n";
  auto found = agent_qmgr_connection(agent(host), layout("/"));
  REQUIRE(found.ok());
  CHECK(found->peer.kind == amqp::broker_kind::embedded);
  CHECK(found->peer.management_url.empty());
  found = agent_qmgr_connection(agent(host + "agentQMgrType=RabbitMQ\n"), layout("/"));
  REQUIRE(found.ok());
  CHECK(found->peer.kind == amqp::broker_kind::rabbitmq);
  CHECK(found->peer.management_url == "http://mq.example:15672");
  found = agent_qmgr_connection(agent(host + "agentQMgrType=rabbitmq\nagentQMgrManagementUrl=http://other:1\n"),
                                layout("/"));
  REQUIRE(found.ok());
  CHECK(found->peer.management_url == "http://other:1");
}

TEST_CASE("connection: a kind that is not embedded needs a host") {
  const auto found = agent_qmgr_connection(agent("agentQMgrType=rabbitmq\n"), layout("/"));
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == errc::bad_property);
  CHECK(found.error().text.find("agentQMgrType=rabbitmq needs agentQMgrHost") != std::string::npos);
}

TEST_CASE("connection: quorum queues are RabbitMQ's alone") {
  const std::string quorum = "agentQMgrHost=h\nagentQMgrQueueType=quorum\n";
  CHECK(agent_qmgr_connection(agent(quorum + "agentQMgrType=rabbitmq\n"), layout("/"))->peer.quorum_queues);
  CHECK_FALSE(
      agent_qmgr_connection(agent("agentQMgrHost=h\nagentQMgrType=rabbitmq\n"), layout("/"))->peer.quorum_queues);
  for (const char* kind : {"", "agentQMgrType=artemis\n"}) {
    const auto found = agent_qmgr_connection(agent(quorum + kind), layout("/"));
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().code == errc::bad_property);
    CHECK(found.error().text.find("agentQMgrQueueType=quorum needs agentQMgrType=rabbitmq") != std::string::npos);
  }
}

TEST_CASE("connection: commands go to a queue manager of any kind") {
  for (const char* kind : {"embedded", "rabbitmq", "artemis", "qpid"}) {
    const std::string content =
        std::string("connectionQMgr=QM1\nconnectionQMgrHost=h\nconnectionQMgrType=") + kind + "\n";
    const auto read = property_set::parse(content, "command.properties", command_properties());
    REQUIRE(read.errors.empty());
    const auto found = command_qmgr_connection(read.values, layout("/"));
    REQUIRE(found.ok());
    CHECK(found->peer.host == "h");
    CHECK(amqp::broker_kind_of(kind) == found->peer.kind);
  }
}

TEST_CASE("connection: a list of URLs is tried in order, each with TLS or without") {
  const layout where("/nowhere");
  const std::string list = "agentQMgrUrls=amqp://one:1,amqps://two\n";
  CHECK(agent_qmgr_connection(agent(list), where).error().text.find("agentSslTrustStore") != std::string::npos);
  const auto found = agent_qmgr_connection(agent(list + "agentSslTrustStore=/ca.pem\n"), where);
  REQUIRE(found.ok());
  CHECK_FALSE(found->bindings);
  const auto all = found->all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].host == "one");
  CHECK(all[0].tls.trust.empty());
  CHECK(all[1].host == "two");
  CHECK(all[1].port == 5671);
  CHECK(all[1].tls.trust == "/ca.pem");
}

TEST_CASE("connection: a list beside a host or a port is refused, with both names") {
  for (const char* other : {"agentQMgrHost=h\n", "agentQMgrPort=1\n"}) {
    const auto found = agent_qmgr_connection(agent(std::string("agentQMgrUrls=amqp://one:1\n") + other), layout("/"));
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().code == errc::bad_property);
    CHECK(found.error().text.find("agentQMgrUrls") != std::string::npos);
    CHECK(found.error().text.find(std::string(other).substr(0, 13)) != std::string::npos);
  }
}

TEST_CASE("connection: management URLs go with the list, one for each") {
  const std::string list = "agentQMgrUrls=amqp://one:1,amqp://two:2\nagentQMgrType=rabbitmq\n";
  auto found = agent_qmgr_connection(agent(list), layout("/"));
  REQUIRE(found.ok());
  CHECK(found->all()[1].management_url == "http://two:15672");
  found = agent_qmgr_connection(agent(list + "agentQMgrManagementUrl=http://a:1, http://b:2\n"), layout("/"));
  REQUIRE(found.ok());
  CHECK(found->all()[1].management_url == "http://b:2");
  CHECK_FALSE(agent_qmgr_connection(agent(list + "agentQMgrManagementUrl=http://a:1\n"), layout("/")).ok());
}
