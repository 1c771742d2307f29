// What the source of a transfer tells: its log, the coordination service, and whoever waits for the transfer. Loop
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/transfer/event_log.hpp"
#include "agent/transfer/plan.hpp"
#include "agent/transfer/rate_meter.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/requests.hpp"

namespace baton::transfer {

class source_report {
 public:
  // `record` has the sums and who waits; numbers of log events are taken from it.
  source_report(services& agent, event_log& events, std::shared_ptr<const formats::transfer_request> request,
                formats::source_record& record)
      : agent_(agent), events_(events), request_(std::move(request)), record_(record) {}

  // Its items are known; `published`: by an earlier activation already.
  void began(const plan_totals& totals, bool published);
  // To who waits, and at most once a second to the coordination service.
  void progress(formats::progress now);
  // `code`: of the machine, which knows nothing of the items; `why`: a rendered message, or nothing.
  void ended(int code, const std::string& why, const plan_totals& totals);

 private:
  std::string text_of(int code, const std::string& why) const;
  void tell_who_waits(const char* subject, std::string body);

  services& agent_;
  event_log& events_;
  const std::shared_ptr<const formats::transfer_request> request_;
  formats::source_record& record_;
  std::int64_t published_at_ms_ = 0;
  rate_meter rate_;
};

}  // namespace baton::transfer
