#include <algorithm>
#include <array>

#include "base/config.hpp"
#include "schema/pipeline_keys.hpp"
#include "schema/pipeline_values.hpp"
#include "worker/executor/config_reader.hpp"
#include "worker/executor/config_values.hpp"

namespace ordo::executor {
namespace {

using pipeline::Node;
using pipeline::Problems;
using namespace std::string_view_literals;

constexpr std::array kStepKeys{"service"sv,   "run"sv,          "queue"sv,       "method"sv,
                               "path"sv,      "headers"sv,      "body"sv,        "content_type"sv,
                               "answer"sv,    "answer_bytes"sv, "error_bytes"sv, "timeout"sv,
                               "snooze"sv,    "statuses"sv,     "folder"sv,      "env"sv,
                               "in_flight"sv, "stop_grace"sv,   "exits"sv};
constexpr std::array kOfServices{"method"sv, "path"sv, "headers"sv, "content_type"sv, "statuses"sv};
constexpr std::array kOfPrograms{"folder"sv, "env"sv, "in_flight"sv, "stop_grace"sv, "exits"sv};
constexpr std::array kMethods{"POST"sv, "PUT"sv, "PATCH"sv, "DELETE"sv, "GET"sv};

constexpr pipeline::KnownKeys kStep{"a step", kStepKeys,
                                    "write `STEP: { service: NAME, path: /PATH }` or "
                                    "`STEP: { run: [PROGRAM] }`"};

template <class Words> bool is_word(std::string_view text, const Words& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

template <class T> void assign(T& field, std::optional<T> value) {
  if (value) field = *std::move(value);
}

/// One of a few words; `meant` are what they stand for.
template <class T, std::size_t N>
void read_word(const Node& node, std::string_view key,
               const std::array<std::pair<std::string_view, T>, N>& words, T& field,
               Problems& problems) {
  std::string all;
  for (const auto& [word, meant] : words) {
    if (node.is_scalar() && node.text == word) {
      field = meant;
      return;
    }
    all += (all.empty() ? "" : ", ") + std::string(word);
  }
  problems.add(node.at, "`" + std::string(key) + "` is " + pipeline::describe(node),
               "write one of " + all);
}

void read_size(const Node& node, std::string_view key, std::size_t least, std::size_t& field,
               Problems& problems) {
  const auto bytes = parse_bytes(node.is_scalar() ? node.text : std::string());
  if (bytes && *bytes >= least && *bytes <= limits::kResultBytes) {
    field = *bytes;
    return;
  }
  problems.add(node.at, "`" + std::string(key) + "` is " + pipeline::describe(node),
               "write a size of " + std::to_string(least) + " to " +
                   bytes_text(limits::kResultBytes) + ", such as 16KiB");
}

class StepReader {
 public:
  StepReader(const std::vector<Service>& services, Problems& problems)
      : services_(services), problems_(problems) {}

  Step read(const Node& name, const Node& body) {
    assign(step_.name, pipeline::read_name(name, "step", problems_));
    const Node* service = nullptr;
    const Node* run = nullptr;
    std::vector<std::pair<const Node*, const Node*>> keys;
    const bool is_map =
        pipeline::for_each_key(body, kStep, problems_, [&](const Node& key, const Node& value) {
          if (key.text == "service") service = &value;
          if (key.text == "run") run = &value;
          keys.emplace_back(&key, &value);
        });
    if (!is_map) return std::move(step_);
    if ((service == nullptr) == (run == nullptr)) {
      problems_.add(
          name.at,
          "the step `" + name.text + "` names " +
              (run == nullptr ? "neither a service nor a program" : "both a service and a program"),
          "write either `service: NAME` or `run: [PROGRAM, ARGUMENT]`");
      return std::move(step_);
    }
    if (run != nullptr) begin_program(*run);
    if (service != nullptr) begin_call(*service);
    for (const auto& [key, value] : keys) read_key(*key, *value);
    finish(body);
    return std::move(step_);
  }

 private:
  void begin_call(const Node& node) {
    HttpStep& http = step_.action.emplace<HttpStep>();
    const auto found = std::find_if(services_.begin(), services_.end(),
                                    [&](const Service& known) { return known.name == node.text; });
    if (node.is_scalar() && found != services_.end()) {
      http.service = static_cast<std::size_t>(found - services_.begin());
      return;
    }
    std::vector<std::string_view> names;
    for (const Service& known : services_) names.emplace_back(known.name);
    std::string near = pipeline::did_you_mean(node.text, names);
    problems_.add(node.at, "there is no service " + pipeline::describe(node),
                  near.empty() ? "name one of those under `services`" : std::move(near));
  }

  void begin_program(const Node& node) {
    ProgramStep& program = step_.action.emplace<ProgramStep>();
    step_.body = Body::kPayload;
    program.arguments = read_texts(node, "run", kMostArguments, problems_);
    if (program.arguments.empty()) return;
    Node first = node.kind == Node::Kind::kList ? node.children.front() : node;
    read_place(first, "run", "a program", problems_);
  }

  void read_key(const Node& key, const Node& value) {
    const bool is_call = std::holds_alternative<HttpStep>(step_.action);
    const bool is_foreign =
        is_call ? is_word(key.text, kOfPrograms) : is_word(key.text, kOfServices);
    if (is_foreign) {
      problems_.add(key.at,
                    "`" + key.text + "` is a key of steps that " +
                        (is_call ? "run a program" : "call a service"),
                    "leave it out");
      return;
    }
    if (read_common(key.text, value)) return;
    if (is_call) return read_call(std::get<HttpStep>(step_.action), key.text, value);
    read_program(std::get<ProgramStep>(step_.action), key.text, value);
  }

  bool read_common(std::string_view key, const Node& value) {
    const pipeline::DurationBounds times{Millis{1}, limits::kStepTimeoutMax};
    if (key == "queue") {
      assign(step_.queue, pipeline::read_name(value, key, problems_));
    } else if (key == "body") {
      constexpr std::array<std::pair<std::string_view, Body>, 3> kBodies{
          {{"envelope", Body::kEnvelope}, {"payload", Body::kPayload}, {"none", Body::kNone}}};
      read_word(value, key, kBodies, step_.body, problems_);
      has_body_ = true;
    } else if (key == "answer") {
      constexpr std::array<std::pair<std::string_view, Answer>, 2> kAnswers{
          {{"raw", Answer::kRaw}, {"envelope", Answer::kEnvelope}}};
      read_word(value, key, kAnswers, step_.answer, problems_);
    } else if (key == "answer_bytes") {
      read_size(value, key, 1, step_.answer_bytes, problems_);
    } else if (key == "error_bytes") {
      read_size(value, key, 0, step_.error_bytes, problems_);
    } else if (key == "timeout") {
      step_.timeout = pipeline::read_duration(value, key, times, problems_);
    } else if (key == "snooze") {
      assign(step_.snooze,
             pipeline::read_duration(value, key, {Millis{100}, limits::kDelayMax}, problems_));
    } else {
      return false;
    }
    return true;
  }

  void read_call(HttpStep& http, std::string_view key, const Node& value) {
    if (key == "path") assign(http.path, read_path(value, key, problems_));
    if (key == "headers") http.headers = read_headers(value, problems_);
    if (key == "content_type") assign(http.content_type, read_text(value, key, problems_));
    if (key == "statuses") http.statuses = read_statuses(value, problems_);
    if (key != "method") return;
    http.method = value.text;
    if (value.is_scalar() && is_word(value.text, kMethods)) return;
    problems_.add(value.at, "`method` is " + pipeline::describe(value),
                  "write POST, PUT, PATCH, DELETE or GET");
  }

  void read_program(ProgramStep& program, std::string_view key, const Node& value) {
    if (key == "folder") assign(program.folder, read_place(value, key, "a folder", problems_));
    if (key == "env") program.variables = read_variables(value, problems_);
    if (key == "in_flight") {
      const auto number = pipeline::read_integer(value, key, {1, kMostPrograms}, problems_);
      if (number) program.in_flight = static_cast<std::uint32_t>(*number);
    }
    if (key == "stop_grace") {
      assign(program.stop_grace,
             pipeline::read_duration(value, key, {Millis{0}, Millis{60'000}}, problems_));
    }
    if (key == "exits") {
      for (const auto& [code, verdict] : read_exits(value, problems_)) {
        program.exits[code] = verdict;
      }
    }
  }

  /// What follows from several keys.
  void finish(const Node& body) {
    auto* const http = std::get_if<HttpStep>(&step_.action);
    if (http == nullptr) return;
    const bool bears_none = http->method == "GET" || http->method == "DELETE";
    if (!has_body_ && bears_none) step_.body = Body::kNone;
    if (http->method == "GET" && step_.body != Body::kNone) {
      problems_.add(body.at, "a GET has no body", "leave `body` out, or write another `method`");
    }
    const bool has_two =
        !http->content_type.empty() &&
        std::any_of(http->headers.begin(), http->headers.end(), [](const Named& h) {
          return h.first == "Content-Type" || h.first == "content-type";
        });
    if (has_two) problems_.add(body.at, "the content type is written twice", "keep one of them");
  }

  const std::vector<Service>& services_;
  Problems& problems_;
  Step step_;
  bool has_body_ = false;
};

}  // namespace

Step read_step(const Node& name, const Node& body, const std::vector<Service>& services,
               Problems& problems) {
  return StepReader(services, problems).read(name, body);
}

}  // namespace ordo::executor
