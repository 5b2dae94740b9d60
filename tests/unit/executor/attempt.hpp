// One attempt of a step of a configuration, without a broker: what the service or program gets, and
// what becomes of it.
//
// Threads: the caller's.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "ordo/testkit.hpp"
#include "worker/executor/executor.hpp"

namespace ordo::executor {

inline Config config_of(const std::string& text) {
  auto config = read_config(text);
  if (!config) {
    ADD_FAILURE() << config.error().front().to_string("config");
    return {};
  }
  return *std::move(config);
}

/// The first step's outcome.
inline TaskOutcome attempt(const Executor& executor, const testkit::TestTask& task = {}) {
  return testkit::run_handler(executor.handler(0), task).outcome;
}

}  // namespace ordo::executor
