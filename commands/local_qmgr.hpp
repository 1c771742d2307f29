// Starting the embedded queue manager of this host.
#pragma once

#include <string>
#include <vector>

#include "common/messages/message.hpp"
#include "common/result.hpp"
#include "properties/layout.hpp"

namespace baton::commands {

// Starts it and waits until it is ready, or stands by; says so on standard output. `words` go to baton-qmgr behind the
// name.
status start_local_qmgr(const layout& where, const std::string& name, const std::vector<std::string>& words,
                        std::int64_t timeout_ms);

// Starts it when it does not run; one of several instances with -x.
status ensure_local_qmgr(const layout& where, const std::string& name);

// "127.0.0.1 5672", as the queue manager wrote it when it was ready; empty: it is not ready.
std::string local_qmgr_address(const layout& where, const std::string& name);

// `text` with the queue manager, the instance of this host, its process, and the active one.
void say_standby(const message& text, const layout& where, const std::string& name, pid_t process);

}  // namespace baton::commands
