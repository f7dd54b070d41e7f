// SPDX-License-Identifier: GPL-2.0-only
// A plugin that takes IPTRK_STOP_SECONDS to stop, as writers of many RRDs do.
#include <unistd.h>

#include <cstdlib>

extern "C" {
int plugin_register_shutdown(const char* name, int (*callback)());
__attribute__((visibility("default"))) void module_register() {
  plugin_register_shutdown("slow_stop", [] {
    if (const char* seconds = std::getenv("IPTRK_STOP_SECONDS"))
      sleep(static_cast<unsigned>(std::atoi(seconds)));
    return 0;
  });
}
}
