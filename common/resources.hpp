// What a process takes of its host: memory that it keeps, and files that it may open.
#pragma once

namespace baton {

// For processes that take and free blocks of a message's size all the time: fresh memory from the kernel for each would
// cost more than moving its data. Up to 16 MiB that were freed stay with the process. At the start of main, before
// there are other threads.
void keep_freed_memory();

// Each connection is a file, and shells and service managers allow 1,024 of them unless a process asks for more: as
// many as the host lets it have.
void allow_many_files();

}  // namespace baton
