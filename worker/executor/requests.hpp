// What an attempt sends: a call of HTTP with its headers, or a run of a program with its variables.
//
// Rule:    of the task come body and values of headers and variables, never where it goes.
// Threads: pure functions.
#pragma once

#include <string>

#include "base/time.hpp"
#include "worker/executor/http_caller.hpp"
#include "worker/executor/program_runner.hpp"

namespace ordo::executor {

/// The bytes that go out, by the step's `body`.
std::string body_of(const Step& step, const Task& task);

/// `body` must outlive what is returned.
HttpCall make_call(const Step& step, const Service& service, const Task& task,
                   const std::string& body, Wall now);
ProgramRun make_run(const Step& step, const Task& task, const std::string& input);

}  // namespace ordo::executor
