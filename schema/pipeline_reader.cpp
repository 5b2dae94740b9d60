#include "schema/pipeline_reader.hpp"

#include <array>
#include <functional>
#include <limits>

#include "schema/pipeline_condition.hpp"
#include "schema/pipeline_keys.hpp"
#include "schema/pipeline_values.hpp"

namespace ordo::pipeline {
namespace {

using namespace std::string_view_literals;
using std::chrono::duration_cast;

constexpr std::array kTopKeys{"pipeline"sv, "version"sv, "deadline"sv, "restore"sv, "steps"sv};
constexpr std::array kRetryKeys{"attempts"sv, "first"sv, "factor"sv, "cap"sv, "alarm_after"sv};
constexpr std::array kCompensateKeys{"handler"sv, "retry"sv};
constexpr std::array kStepKeys{"after"sv,      "handler"sv,    "queue"sv,        "timeout"sv,
                               "retry"sv,      "compensate"sv, "irreversible"sv, "wait"sv,
                               "on_timeout"sv, "late"sv,       "delay"sv,        "each"sv,
                               "when"sv,       "uses"sv,       "optional"sv,     "class"sv,
                               "fallback"sv,   "order"sv,      "fair_by"sv,      "limit_key"sv};

constexpr KnownKeys kTop{"a pipeline", kTopKeys, "start with `pipeline: NAME`"};
constexpr KnownKeys kRetry{"`retry`", kRetryKeys, "write `retry: { attempts: 3 }`"};
constexpr KnownKeys kCompensate{"`compensate`", kCompensateKeys,
                                "write a handler's name or `{ handler: NAME, retry: { … } }`"};
constexpr KnownKeys kStep{"a step", kStepKeys, "write `STEP: {}` for a step with all defaults"};

constexpr Millis kShortest{1};

/// The keys of one retry policy. Limits that follow from others are checked at the end, once all
/// are known.
RetryPolicy read_retry(const Node& node, Problems& problems) {
  RetryPolicy retry;
  const NumberBounds counts{1, limits::kRetryAttempts};
  const DurationBounds delays{kShortest, limits::kRetryCap};
  Place alarm_at;
  Place cap_at;
  for_each_key(node, kRetry, problems, [&](const Node& key, const Node& value) {
    if (key.text == "attempts") {
      if (auto n = read_integer(value, key.text, counts, problems)) {
        retry.attempts = static_cast<int>(*n);
      }
    } else if (key.text == "alarm_after") {
      if (auto n = read_integer(value, key.text, counts, problems)) {
        retry.alarm_after = static_cast<int>(*n);
        alarm_at = value.at;
      }
    } else if (key.text == "first") {
      if (auto delay = read_duration(value, key.text, delays, problems)) retry.first = *delay;
    } else if (key.text == "cap") {
      if (auto delay = read_duration(value, key.text, delays, problems)) {
        retry.cap = *delay;
        cap_at = value.at;
      }
    } else if (auto n = read_number(value, key.text, {1, 100}, problems)) {
      retry.factor = *n;
    }
  });
  if (cap_at.line == 0) {
    retry.cap = std::max(retry.cap, retry.first);
  } else if (retry.cap < retry.first) {
    problems.add(cap_at, "`cap` is " + format_duration(retry.cap) + ", less than `first`",
                 "it is at least " + format_duration(retry.first));
  }
  if (alarm_at.line == 0) {
    retry.alarm_after = std::min(retry.alarm_after, retry.attempts);
  } else if (retry.alarm_after > retry.attempts) {
    problems.add(
        alarm_at,
        "`alarm_after` is " + std::to_string(retry.alarm_after) + ", more than the attempts",
        "it is at most " + std::to_string(retry.attempts));
  }
  return retry;
}

/// Where in the text a byte of a scalar stands; the scalar's start where the scalar was folded or
/// escaped.
Place place_in(const Node& scalar, std::size_t offset, std::string_view text) {
  for (const std::size_t quote : {0u, 1u}) {
    if (scalar.offset + quote > text.size()) break;
    const auto written = text.substr(scalar.offset + quote, scalar.text.size());
    if (written != scalar.text || written.find('\n') != std::string_view::npos) continue;
    return {scalar.at.line, scalar.at.column + static_cast<int>(quote + offset)};
  }
  return scalar.at;
}

class StepReader {
 public:
  StepReader(std::string_view text, Problems& problems) : text_(text), problems_(problems) {}

  Draft read(const Node& name, const Node& body) {
    Draft draft;
    draft.step.line = name.at.line;
    draft.step.column = name.at.column;
    if (auto good = read_name(name, "step", problems_)) draft.step.name = *good;
    if (body.kind != Node::Kind::kNull) {
      for_each_key(body, kStep, problems_, [&](const Node& key, const Node& value) {
        draft.keys.emplace(key.text, key.at);
        read_key(draft, key.text, value);
      });
    }
    read_timeout(draft);
    if (draft.step.handler.empty()) draft.step.handler = draft.step.name;
    if (draft.step.queue.empty()) draft.step.queue = draft.step.name;
    return draft;
  }

 private:
  void read_key(Draft& draft, std::string_view key, const Node& value) {
    Step& step = draft.step;
    const std::array<std::pair<std::string_view, std::string*>, 7> names{
        {{"handler", &step.handler},
         {"queue", &step.queue},
         {"wait", &step.wait},
         {"late", &step.late},
         {"uses", &step.uses},
         {"fallback", &step.fallback},
         {"order", &step.order}}};
    for (const auto& [word, field] : names) {
      if (key == word) return assign(*field, read_name(value, key, problems_));
    }
    const std::array<std::pair<std::string_view, std::string*>, 3> fields{
        {{"each", &step.each}, {"fair_by", &step.fair_by}, {"limit_key", &step.limit_key}}};
    for (const auto& [word, field] : fields) {
      if (key == word) return assign(*field, read_field(value, key, problems_));
    }
    if (key == "irreversible") return assign(step.irreversible, read_bool(value, key, problems_));
    if (key == "optional") return assign(step.optional, read_bool(value, key, problems_));
    if (key == "after") return read_after(draft, value);
    if (key == "timeout") {
      timeout_ = &value;
      return;
    }
    if (key == "retry") {
      step.retry = read_retry(value, problems_);
      return;
    }
    if (key == "delay") {
      return assign(step.delay,
                    read_duration(value, key, {kShortest, limits::kDelayMax}, problems_));
    }
    if (key == "compensate") return read_compensate(step, value);
    if (key == "on_timeout") return read_on_timeout(step, value);
    if (key == "when") return read_when(step, value);
    read_class(step, value);
  }

  template <class T> static void assign(T& field, std::optional<T> value) {
    if (value) field = std::move(*value);
  }

  void read_after(Draft& draft, const Node& value) {
    if (value.is_scalar()) {
      draft.after.push_back(value);
      return;
    }
    if (value.kind != Node::Kind::kList) {
      problems_.add(value.at, "`after` is a step or a list of steps, not " + describe(value),
                    "write `after: STEP` or `after: [STEP, STEP]`, or leave it out");
      return;
    }
    for (const Node& item : value.children) {
      if (item.is_scalar()) {
        draft.after.push_back(item);
      } else {
        problems_.add(item.at, "`after` lists names of steps, not " + describe(item),
                      "write `after: [STEP, STEP]`");
      }
    }
  }

  /// Its bounds depend on `wait`, so it is read when all keys are known.
  void read_timeout(Draft& draft) {
    if (timeout_ == nullptr) return;
    const Millis longest =
        draft.step.wait.empty() ? Millis(limits::kStepTimeoutMax) : Millis(limits::kWaitTimeoutMax);
    assign(draft.step.timeout,
           read_duration(*timeout_, "timeout", {limits::kStepTimeoutMin, longest}, problems_));
    timeout_ = nullptr;
  }

  void read_compensate(Step& step, const Node& value) {
    if (value.is_scalar()) {
      return assign(step.compensate, read_name(value, "compensate", problems_));
    }
    const bool is_read =
        for_each_key(value, kCompensate, problems_, [&](const Node& key, const Node& v) {
          if (key.text == "handler") {
            assign(step.compensate, read_name(v, "handler", problems_));
          } else {
            step.compensate_retry = read_retry(v, problems_);
          }
        });
    const auto is_handler = [](const Node& node) { return node.text == "handler"; };
    if (is_read && std::none_of(value.children.begin(), value.children.end(), is_handler)) {
      problems_.add(value.at, "`compensate` names no handler", "add `handler: NAME`");
    }
  }

  void read_on_timeout(Step& step, const Node& value) {
    const auto word = read_name(value, "on_timeout", problems_);
    if (!word || *word == "fail") return;
    step.on_timeout = *word == "skip" ? OnTimeout::kSkip : OnTimeout::kStep;
    if (step.on_timeout == OnTimeout::kStep) step.on_timeout_step = *word;
  }

  void read_when(Step& step, const Node& value) {
    if (!value.is_scalar()) {
      problems_.add(value.at, "`when` is a condition, not " + describe(value),
                    "write such as `when: amount > 100`");
      return;
    }
    step.when = value.text;
    if (const auto fault = check_condition(value.text)) {
      problems_.add(place_in(value, fault->offset, text_), "`when`: " + fault->what,
                    fault->instead);
    }
  }

  void read_class(Step& step, const Node& value) {
    step.async = value.is_scalar() && value.text == "async";
    if (step.async) return;
    problems_.add(value.at, "`class` is `async`, not " + describe(value),
                  "write `class: async`, or leave it out");
  }

  std::string_view text_;
  Problems& problems_;
  const Node* timeout_ = nullptr;
};

void read_steps(DraftPipeline& draft, const Node& node, std::string_view text, Problems& problems) {
  if (!node.is_map() || node.children.empty()) {
    problems.add(node.at,
                 "`steps` is a map of steps, not " +
                     (node.is_map() ? std::string("an empty one") : describe(node)),
                 "write one `STEP: {}` a line below it");
    return;
  }
  const std::size_t count = node.children.size() / 2;
  if (count > limits::kPipelineSteps) {
    problems.add(node.at, "the pipeline has " + std::to_string(count) + " steps",
                 "at most " + std::to_string(limits::kPipelineSteps) + " are allowed: split it");
    return;
  }
  StepReader reader(text, problems);
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    draft.steps.push_back(reader.read(node.children[i], node.children[i + 1]));
  }
}

}  // namespace

DraftPipeline read_pipeline(const Node& root, std::string_view text, Problems& problems) {
  DraftPipeline draft;
  Pipeline& pipeline = draft.pipeline;
  bool has_name = false;
  bool has_steps = false;
  const bool is_map = for_each_key(root, kTop, problems, [&](const Node& key, const Node& value) {
    if (key.text == "pipeline") {
      has_name = true;
      pipeline.name = read_name(value, key.text, problems).value_or("");
    } else if (key.text == "version") {
      const NumberBounds bounds{1, std::numeric_limits<std::int32_t>::max()};
      if (auto version = read_integer(value, key.text, bounds, problems)) {
        pipeline.version = static_cast<std::uint32_t>(*version);
      }
    } else if (key.text == "deadline") {
      pipeline.deadline =
          read_duration(value, key.text, {kShortest, limits::kDeadlineMax}, problems);
    } else if (key.text == "restore") {
      pipeline.restore = read_name(value, key.text, problems).value_or("");
      draft.restore = value.at;
    } else {
      has_steps = true;
      read_steps(draft, value, text, problems);
    }
  });
  if (!is_map) return draft;
  if (!has_name) problems.add({}, "the pipeline has no name", "start with `pipeline: NAME`");
  if (!has_steps)
    problems.add({}, "the pipeline has no steps", "add `steps:` with at least one step");
  return draft;
}

}  // namespace ordo::pipeline
