// XXH3 as fast as the processor can do it: where the library has code for wider registers than every processor of this
// kind has, it looks at run time which of them are there.
#pragma once

#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif
