// A command line program that ends on SIGTERM also where it is process 1, as in a container. There
// the kernel drops a signal that nobody handles, and a Job would wait for its grace to be over and
// be killed. Elsewhere nothing changes. Programs with work to finish (broker, workers) take their
// signals themselves.
//
// Threads: call it first in main. Exits with 130, as after an interrupt.
#pragma once

#include <signal.h>
#include <unistd.h>

namespace ordo {

inline void end_on_signals_as_first_process() {
  if (::getpid() != 1) return;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::signal(number, [](int) { ::_exit(130); });
}

}  // namespace ordo
