# Third-party libraries, each behind one target.  Headers are SYSTEM, so that our warnings are ours.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(holdfast_dependency name package)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${package})
    add_library(holdfast::${name} ALIAS PkgConfig::${name})
endfunction()

set(HOLDFAST_RDKAFKA_PREFIX ${CMAKE_SOURCE_DIR}/build/deps/librdkafka CACHE PATH
    "Where tools/librdkafka.sh has put librdkafka")
set(ENV{PKG_CONFIG_PATH} "${HOLDFAST_RDKAFKA_PREFIX}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
pkg_check_modules(rdkafka QUIET IMPORTED_TARGET GLOBAL rdkafka-static>=2.14)
if(rdkafka_FOUND)
    add_library(holdfast::rdkafka ALIAS PkgConfig::rdkafka)
else()
    message(WARNING "librdkafka >= 2.14 is not in ${HOLDFAST_RDKAFKA_PREFIX} (run: make setup); "
        "falling back to the system's, which has known faults")
    holdfast_dependency(rdkafka rdkafka)
endif()

holdfast_dependency(libpq libpq)
holdfast_dependency(libcrypto libcrypto)
holdfast_dependency(rapidjson RapidJSON)
holdfast_dependency(tomlplusplus tomlplusplus)
holdfast_dependency(cli11 CLI11)
holdfast_dependency(httplib cpp-httplib)
holdfast_dependency(prometheus prometheus-cpp-core)
holdfast_dependency(systemd libsystemd)
find_package(mimalloc 2.0 REQUIRED CONFIG)
add_library(holdfast::mimalloc ALIAS mimalloc)
find_package(GTest REQUIRED)
