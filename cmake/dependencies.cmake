# Every library is Debian 12's own package; scripts/setup installs them.
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options filesystem)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)

# Debian's libqpid-proton-cpp.pc requires two .pc files that Debian does not ship, so the library is looked up by name.
find_path(PROTON_INCLUDE proton/container.hpp REQUIRED)
find_library(PROTON_LIBRARY qpid-proton-cpp REQUIRED)
add_library(proton_cpp INTERFACE)
target_include_directories(proton_cpp SYSTEM INTERFACE ${PROTON_INCLUDE})
target_link_libraries(proton_cpp INTERFACE ${PROTON_LIBRARY})

# Proton C++ is built on these two. Debian ships no development links for them, and its all-in-one libqpid-proton.so must
# not be used: together with Proton C++ a process would then hold two copies of Proton.
find_library(PROTON_CORE_LIBRARY NAMES libqpid-proton-core.so.10 qpid-proton-core REQUIRED)
find_library(PROTON_PROACTOR_LIBRARY NAMES libqpid-proton-proactor.so.1 qpid-proton-proactor REQUIRED)

find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
