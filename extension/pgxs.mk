# PGXS build of the extension's module, run by extension.mk inside its build directory (a VPATH build,
# so that nothing is written beside the sources).  SANITIZE=address instruments our own code.
MODULE_big := holdfast
DATA_built := holdfast--1.0.sql

SOURCES := $(patsubst $(ROOT)/extension/%,%,$(wildcard $(ROOT)/extension/src/*.cpp \
    $(ROOT)/extension/src/core/*.cpp $(ROOT)/extension/src/backend/*.cpp $(ROOT)/extension/src/backend/*.c))
OBJS := $(addsuffix .o,$(basename $(SOURCES)))

# The server's headers are foreign code: they use `register`, which C++20 no longer has.
PG_CPPFLAGS := -isystem $(shell $(PG_CONFIG) --includedir-server) -I$(ROOT)/extension/src -MMD -MP
WARNINGS    := -Wall -Wextra -Wshadow -Werror
HARDENING   := -fstack-clash-protection
ifneq ($(filter x86_64,$(shell uname -m)),)
HARDENING   += -fcf-protection=full
endif
ifdef SANITIZE
HARDENING   += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
SHLIB_LINK  += -fsanitize=$(SANITIZE)
else
HARDENING   += -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS
endif
PG_CFLAGS   := $(WARNINGS) $(HARDENING) -std=gnu11
PG_CXXFLAGS := $(WARNINGS) $(HARDENING) -Wnon-virtual-dtor -std=c++20
SHLIB_LINK  += -Wl,--version-script=$(ROOT)/extension/exports.map -Wl,-z,noexecstack -lstdc++

# Bitcode would only let the JIT inline these functions, which do their work through SPI.
with_llvm := no
override with_llvm := no

CCACHE := $(shell command -v ccache)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
override CC := $(CCACHE) $(CC)
override CXX := $(CCACHE) $(CXX)
# Debian's flags bring level 2, after ours.
override CPPFLAGS := $(filter-out -D_FORTIFY_SOURCE=%,$(CPPFLAGS))

# The core is held to the relay's warnings; it sees no server header.
src/core/%.o: override CXXFLAGS += -Wpedantic -Wconversion -Wold-style-cast

$(OBJS): $(ROOT)/extension/pgxs.mk | objdirs
holdfast.so: $(ROOT)/extension/exports.map
.PHONY: objdirs
objdirs:
	@mkdir -p src/core src/backend

# The installed script is its parts in order.
holdfast--1.0.sql: $(sort $(wildcard $(ROOT)/sql/parts/*.sql)) $(ROOT)/sql/parts
	@cat $(sort $(wildcard $(ROOT)/sql/parts/*.sql)) >$@.new && mv $@.new $@
	@cp $@ $(ROOT)/sql/holdfast--1.0.sql

-include $(OBJS:.o=.d)
