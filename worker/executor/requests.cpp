#include "worker/executor/requests.hpp"

#include <algorithm>

#include "worker/executor/envelope.hpp"
#include "worker/executor/signature.hpp"

namespace ordo::executor {
namespace {

/// The service's timeout, or the step's before it. One that the attempt does not live to see is
/// none: then the broker says what became of it.
std::optional<Millis> timeout_of(const Step& step, std::optional<Millis> usual, const Task& task) {
  const auto timeout = step.timeout ? step.timeout : usual;
  return timeout && *timeout < task.time_left() ? timeout : std::nullopt;
}

std::string_view type_of(const Step& step, const HttpStep& http) {
  if (!http.content_type.empty()) return http.content_type;
  return step.body == Body::kEnvelope ? "application/json" : "application/octet-stream";
}

bool has_type(const std::vector<Named>& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const Named& header) {
    std::string low = header.first;
    for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return low == "content-type";
  });
}

/// The path of a URL as it stands in the request's first line.
std::string path_in(const std::string& url) {
  const std::size_t start = url.find('/', url.find("://") + 3);
  if (start == url.npos) return "/";
  return url.substr(start);
}

const char* word_of(bool is_so) { return is_so ? "true" : "false"; }

}  // namespace

std::string body_of(const Step& step, const Task& task) {
  switch (step.body) {
    case Body::kEnvelope: return make_envelope(task);
    case Body::kPayload: return std::string(task.payload());
    case Body::kNone: break;
  }
  return {};
}

HttpCall make_call(const Step& step, const Service& service, const Task& task,
                   const std::string& body, Wall now) {
  const auto& http = std::get<HttpStep>(step.action);
  HttpCall call;
  call.method = http.method;
  call.url = service.url + http.path;
  call.body = body;
  call.connect_timeout = service.connect_timeout;
  call.timeout = timeout_of(step, service.timeout, task);
  call.answer_bytes = step.answer_bytes;
  call.headers = service.headers;
  call.headers.insert(call.headers.end(), http.headers.begin(), http.headers.end());
  const auto add = [&](std::string name, std::string value) {
    call.headers.emplace_back(std::move(name), std::move(value));
  };
  if (step.body != Body::kNone && !has_type(call.headers)) {
    add("Content-Type", std::string(type_of(step, http)));
  }
  const std::string key = task.effect_key();
  add("Idempotency-Key", key);
  add("Ordo-Order", task.order().to_string());
  add("Ordo-Step", task.step());
  add("Ordo-Attempt", std::to_string(task.attempt()));
  add("Ordo-Maybe", word_of(task.is_maybe()));
  if (const auto trace = task.trace()) {
    add("traceparent", trace->traceparent());
    if (!trace->tracestate.empty()) add("tracestate", trace->tracestate);
  }
  if (!service.keys.empty()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    const std::string path = path_in(call.url);
    add("Ordo-Signature", sign({seconds.count(), call.method, path, key, body}, service.keys));
  }
  return call;
}

ProgramRun make_run(const Step& step, const Task& task, const std::string& input) {
  const auto& program = std::get<ProgramStep>(step.action);
  ProgramRun run;
  run.arguments = program.arguments;
  run.folder = program.folder;
  run.input = input;
  run.timeout = timeout_of(step, std::nullopt, task);
  run.stop_grace = program.stop_grace;
  run.output_bytes = step.answer_bytes;
  const auto add = [&](const std::string& name, const std::string& value) {
    run.environment.push_back(name + '=' + value);
  };
  const auto is_given = [&](std::string_view name) {
    return std::any_of(program.variables.begin(), program.variables.end(),
                       [&](const Named& variable) { return variable.first == name; });
  };
  if (!is_given("PATH")) add("PATH", "/usr/local/bin:/usr/bin:/bin");
  if (!is_given("LANG")) add("LANG", "C.UTF-8");
  for (const auto& [name, value] : program.variables) add(name, value);
  add("ORDO_KEY", task.effect_key());
  add("ORDO_ORDER", task.order().to_string());
  add("ORDO_PIPELINE", task.pipeline());
  add("ORDO_STEP", task.step());
  add("ORDO_BRANCH", std::to_string(task.branch()));
  add("ORDO_KIND", task.is_compensation() ? "compensate" : "forward");
  add("ORDO_ATTEMPT", std::to_string(task.attempt()));
  add("ORDO_MAYBE", word_of(task.is_maybe()));
  if (const auto trace = task.trace()) {
    add("TRACEPARENT", trace->traceparent());
    if (!trace->tracestate.empty()) add("TRACESTATE", trace->tracestate);
  }
  return run;
}

}  // namespace ordo::executor
