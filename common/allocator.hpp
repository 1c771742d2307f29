// How the C library's allocator of a process behaves.
#pragma once

namespace baton {

// For processes that take and free blocks of a message's size all the time: fresh memory from the kernel for each would
// cost more than moving its data. Up to 16 MiB that were freed stay with the process. At the start of main, before
// there are other threads.
void keep_freed_memory();

}  // namespace baton
