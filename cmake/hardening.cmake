# Warnings and hardening for our own code.  Sanitizers come from the presets and switch off what
# would hide their findings (_FORTIFY_SOURCE, zero initialisation).
set(HOLDFAST_SANITIZE "" CACHE STRING "Value of -fsanitize=, for example address,undefined")
option(HOLDFAST_COVERAGE "Instrument for gcov" OFF)
option(HOLDFAST_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

add_library(holdfast_flags INTERFACE)
target_compile_options(holdfast_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Wformat=2
    -Werror -fstack-protector-strong -fstack-clash-protection -fPIE)
target_link_options(holdfast_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    target_compile_options(holdfast_flags INTERFACE -fcf-protection=full)
endif()

if(HOLDFAST_SANITIZE)
    add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
else()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(holdfast_flags INTERFACE -ftrivial-auto-var-init=zero)
    endif()
    target_compile_definitions(holdfast_flags INTERFACE _GLIBCXX_ASSERTIONS
        $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=3>)
endif()
if(HOLDFAST_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
