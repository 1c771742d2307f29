// Puts plans together again from their parts on STATE, for transfers that another instance planned. Parts go to a file
// as they come, in any order, and before or after their transfer's record. Loop thread; writing is done on workers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/transfer/plan.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/state.hpp"

namespace baton::transfer {

class plan_collector {
 public:
  explicit plan_collector(services& agent) : agent_(agent) {}
  ~plan_collector() { *over_ = true; }

  // Keeps a part; `kept` when it is in the file, which on a full disk can take long.
  void add(const formats::plan_part& part, std::function<void()> kept);
  // `complete` is called when every part is in file().
  void want(const std::string& transfer_id, const plan_summary& plan, std::function<void()> complete);
  std::uint64_t parts_of(const std::string& transfer_id, std::uint64_t check) const;
  std::string file(const std::string& transfer_id, std::uint64_t check) const;
  // The transfer has ended.
  void drop(const std::string& transfer_id);

 private:
  struct collection {
    std::set<std::uint32_t> parts;
    std::uint64_t wanted = 0;  // how many there are; 0: not known yet
    std::function<void()> complete;
    bool told = false;  // that it cannot be written
  };
  using key = std::pair<std::string, std::uint64_t>;  // transfer, check: a transfer may have been planned twice
  struct arrived {
    key of;
    std::uint32_t number = 0;
    std::string packed;
    std::function<void()> kept;
  };
  void write(std::shared_ptr<const arrived> part);
  void write_later(std::shared_ptr<const arrived> part, const std::string& why);
  void give_up(const arrived& part, const std::string& why);
  void look(const key& of);

  services& agent_;
  std::map<key, collection> collections_;
  std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
};

}  // namespace baton::transfer
