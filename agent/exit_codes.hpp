// How an agent process tells its controller why it ended. Anything else means that it died.
#pragma once

namespace baton::agent {

inline constexpr int exit_stopped = 0;            // in an orderly way; not started again
inline constexpr int exit_cannot_run = 10;        // the configuration is wrong; not started again
inline constexpr int exit_qmgr_unavailable = 11;  // bindings mode; started again when the queue manager is back

}  // namespace baton::agent
