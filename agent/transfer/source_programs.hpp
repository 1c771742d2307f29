// The programs that a transfer runs at its source agent, each once for the transfer however often the transfer is tried
// and whichever instance tries it: what has begun is on STATE before it begins, how it ended before anything builds on
// it. What is not known to have ended counts as failed. Loop thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "agent/transfer/program_runner.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/requests.hpp"
#include "common/formats/state.hpp"

namespace baton::transfer {

class source_programs : public std::enable_shared_from_this<source_programs> {
 public:
  enum class point { pre_source, post_source };
  using saver = std::function<void(services::stored done)>;
  // Empty: it was successful, or there is none. A rendered message otherwise.
  using ended = std::function<void(const std::string& failure)>;

  // `save` writes `record` to STATE.
  source_programs(services& agent, program_runner& runner, std::shared_ptr<const formats::transfer_request> request,
                  formats::source_record& record, saver save);

  void run(point where, ended then);
  // Ends what runs; nothing is told any more.
  void stop();

 private:
  const formats::program_call& call() const;
  void begin();
  void start();
  void finished(const program_end& end);
  void keep(const std::string& state, std::function<void()> then);
  void wait(std::int64_t delay_ms, void (source_programs::*then)());

  services& agent_;
  program_runner& runner_;
  const std::shared_ptr<const formats::transfer_request> request_;
  formats::source_record& record_;
  const saver save_;
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
  point where_ = point::pre_source;
  ended then_;
  int tries_ = 0;
  std::int64_t started_at_ms_ = 0;
  event_loop::timer_id timer_ = 0;
};

}  // namespace baton::transfer
