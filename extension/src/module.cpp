// What the server calls when it loads the library.  Runs once per process, in the postmaster when
// the library is preloaded: it registers settings and does nothing that can fail halfway.
#include "backend/postgres.hpp"
#include "backend/settings.hpp"

extern "C" {
HOLDFAST_MODULE_MAGIC;
void _PG_init(void);
}

void _PG_init(void) {
    holdfast::backend::settings::define();
}
