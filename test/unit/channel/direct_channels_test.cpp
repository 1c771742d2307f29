#include "agent/channel/direct_channels.hpp"

#include <catch2/catch.hpp>

#include "common/log.hpp"

using namespace baton;
using namespace baton::channel;

namespace {

class channels_of {
 public:
  explicit channels_of(const agent::data_settings& data) : pool_(loop_, 1) {
    (void)open_log({});
    settings_.data = data;
    channels.emplace(loop_, pool_, settings_, nullptr);
  }
  // Why an offer is not followed; empty when it is.
  std::string against(const formats::data_offer& offered) const {
    const auto usable = channels->usable(offered);
    return usable ? "" : usable.error().text;
  }

 private:
  event_loop loop_;
  worker_pool pool_;
  agent::settings settings_;

 public:
  std::optional<direct_channels> channels;
};

agent::data_settings on() {
  agent::data_settings data;
  data.direct = true;
  return data;
}

const std::string secret(64, 'a');

}  // namespace

TEST_CASE("channel: without certificates it is offered to the own host only, and taken from there") {
  channels_of here(on());
  const auto own = here.channels->offer([](std::unique_ptr<direct_channel>) {});
  CHECK(own.port != 0);
  CHECK(own.host == "127.0.0.1");
  CHECK_FALSE(own.machine.empty());
  CHECK(own.secret.size() == 2 * secret_bytes);
  CHECK(here.against(own).empty());
  CHECK(here.channels->offer([](std::unique_ptr<direct_channel>) {}).secret != own.secret);
  CHECK_THAT(here.against({"127.0.0.1", 4711, secret, false, "another"}), Catch::Contains("own host only"));
  CHECK_THAT(here.against({"elsewhere", 4711, secret, false, ""}), Catch::Contains("clear text"));
  CHECK_THAT(here.against({"elsewhere", 4711, secret, true, ""}), Catch::Contains("agentSslCertificate"));
  CHECK_FALSE(here.against({"elsewhere", 0, secret, false, ""}).empty());
  CHECK_FALSE(here.against({"elsewhere", 65536, secret, false, own.machine}).empty());
}

TEST_CASE("channel: clear text between hosts has to be allowed") {
  auto data = on();
  data.allow_plain = true;
  channels_of here(data);
  CHECK(here.against({"elsewhere", 4711, secret, false, ""}).empty());
  const auto own = here.channels->offer([](std::unique_ptr<direct_channel>) {});
  CHECK(own.machine.empty());
  CHECK(own.host != "127.0.0.1");
}

TEST_CASE("channel: switched off, nothing is offered and nothing is followed") {
  channels_of here({});
  CHECK(here.channels->offer([](std::unique_ptr<direct_channel>) {}).port == 0);
  CHECK_FALSE(here.against({"127.0.0.1", 4711, secret, false, ""}).empty());
  here.channels->withdraw(secret);
}

TEST_CASE("channel: a certificate that cannot be used leaves the queue") {
  auto data = on();
  data.tls = {"/nowhere/own.pem", "/nowhere/own.key", "/nowhere/ca.pem"};
  channels_of here(data);
  CHECK(here.channels->offer([](std::unique_ptr<direct_channel>) {}).port == 0);
}
