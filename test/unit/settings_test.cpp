#include "agent/settings.hpp"

#include <catch2/catch.hpp>

using namespace baton;

namespace {

agent::settings of(const std::string& more) {
  const auto read =
      property_set::parse("agentName=A\nagentQMgr=Q\nagentQMgrHost=h\n" + more, "agent.properties", agent_properties());
  REQUIRE(read.errors.empty());
  return agent::make_settings(read.values, layout("/nowhere"), "C");
}

}  // namespace

TEST_CASE("preference: who says nothing hangs back for nobody") {
  CHECK(of("").instance_priority == 100);
  CHECK(of("").hang_back_ms == 0);
}

TEST_CASE("preference: a priority hangs back for higher ones, the less it is worth the longer") {
  CHECK(of("instancePriority=127\n").hang_back_ms == 0);
  CHECK(of("instancePriority=100\n").hang_back_ms == 270);
  CHECK(of("instancePriority=0\n").hang_back_ms == 1270);
}

TEST_CASE("preference: the list counts before the priority, and who is not in it comes last") {
  const std::string list = "preferredInstances=one, two\ninstancePriority=126\n";
  CHECK(of(list + "instanceName=one\n").instance_priority == 127);
  CHECK(of(list + "instanceName=one\n").hang_back_ms == 0);
  CHECK(of(list + "instanceName=two\n").instance_priority == 126);
  CHECK(of(list + "instanceName=two\n").hang_back_ms == 250);
  CHECK(of(list + "instanceName=three\n").instance_priority == 125);
  CHECK(of(list + "instanceName=three\n").hang_back_ms == 500);
  CHECK(agent::faults_of(of(list)).empty());
  CHECK(agent::faults_of(of("preferredInstances=one,,two\n")).size() == 1);
}
