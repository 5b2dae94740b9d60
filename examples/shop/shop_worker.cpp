// ordo-shop-worker: a worker whose handlers call the services of a shop, or behave like them. Then
// they take lognormal times and fail at the rates of shop_steps.cpp. Every effect is written into a
// ledger before it is answered.
//
// Beside the flags of every worker (--help): --services URL, --endpoint HOST:PORT, --ledger FILE,
// --time-scale X, --seed N, --only STEP, --leave STEP.
// The same seed gives an attempt of a task the same fate, whichever worker runs it.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "examples/shop/ledger.hpp"
#include "examples/shop/own_steps.hpp"
#include "examples/shop/service_caller.hpp"
#include "examples/shop/shop_steps.hpp"
#include "ordo/worker.hpp"

namespace {

using ordo::Task;
using ordo::TaskOutcome;
using ordo::shop::Draw;
using ordo::shop::Effect;
using ordo::shop::Fate;
using ordo::shop::ShopStep;

constexpr int kUsage = 2;
constexpr int kSystemRefused = 71;
constexpr double kTimeScaleMax = 1000;

constexpr const char* kHelp =
    "ordo-shop-worker: runs the steps of examples/pipelines like the services of a shop\n"
    "  --services URL       of ordo-shop-services, which is called; without it the worker "
    "pretends\n"
    "  --endpoint HOST:PORT a broker's client socket, for what the shop asks and orders itself; "
    "may "
    "be repeated\n"
    "  --ledger FILE        every effect is appended to it, and on disk before it is answered\n"
    "  --time-scale X       0 to 1000; 1: realistic times, 0.1 (default): ten times as quick\n"
    "  --seed N             of times and failures (default 1)\n"
    "  --only STEP          serves the queue of this step and no other\n"
    "  --leave STEP         leaves the queue of this step to somebody else; may be repeated\n";

struct ShopOptions {
  std::string services;                ///< empty: it pretends
  std::vector<std::string> endpoints;  ///< where the shop asks and orders itself
  std::string ledger;
  double time_scale = 0.1;
  std::uint64_t seed = 1;
  std::string only;                 ///< a step; empty: all
  std::vector<std::string> leaves;  ///< steps of somebody else
};

bool is_step(const std::string& name) {
  const auto steps = ordo::shop::handler_names();
  return std::find(steps.begin(), steps.end(), name) != steps.end();
}

/// The value of an own flag; nullopt for a flag of every worker.
std::optional<bool> take(ShopOptions& options, std::string_view flag, const std::string& value) {
  if (flag == "--ledger") {
    options.ledger = value;
    return true;
  }
  if (flag == "--services") {
    options.services = value;
    return value.starts_with("http://");
  }
  if (flag == "--endpoint") {
    options.endpoints.push_back(value);
    return !value.empty();
  }
  if (flag == "--only") {
    options.only = value;
    return is_step(value);
  }
  if (flag == "--leave") {
    options.leaves.push_back(value);
    return is_step(value);
  }
  char* end = nullptr;
  if (flag == "--time-scale") {
    options.time_scale = std::strtod(value.c_str(), &end);
    return end != value.c_str() && *end == '\0' && options.time_scale >= 0 &&
           options.time_scale <= kTimeScaleMax;
  }
  if (flag == "--seed") {
    options.seed = std::strtoull(value.c_str(), &end, 10);
    return end != value.c_str() && *end == '\0';
  }
  return std::nullopt;
}

/// The shop itself: what a step's handler does.
class Shop {
 public:
  Shop(ShopOptions options, std::unique_ptr<ordo::shop::Ledger> ledger)
      : options_(std::move(options)),
        caller_(options_.services),
        own_({.endpoints = options_.endpoints, .services = options_.services}),
        ledger_(std::move(ledger)) {}

  TaskOutcome handle(const Task& task, const std::string& worker) const {
    const ShopStep* const step = ordo::shop::find_step(task.pipeline(), task.handler());
    if (step == nullptr) return ordo::permanent("the shop has no such step", "unknown_step");
    Effect effect{.key = task.effect_key(),
                  .attempt = task.attempt(),
                  .worker = worker,
                  .start_ms = ordo::shop::monotonic_ms()};
    // The supplier no longer knows this card: what an operator finds parked.
    const bool is_gone = task.handler() == "code_issue" &&
                         task.payload().find("\"discontinued\"") != std::string_view::npos;
    const bool is_own = ordo::shop::OwnSteps::has(step->handler);
    const bool is_asked = is_own || !step->service.empty();
    if (!options_.services.empty() && is_asked && !is_gone) return ask(task, *step, effect);
    Draw draw = fate_of(task, *step);
    if (is_gone) draw.fate = Fate::kTransient;
    const auto pause = std::chrono::milliseconds(std::llround(draw.ms * options_.time_scale));
    if (task.cancellation().wait_for(pause)) {
      record(effect, "cancelled");
      // The broker's own words: which of the two is first must not split what failed alike.
      const std::string why = task.cancellation().reason();
      if (why == "timeout") return ordo::transient("no answer within the step's timeout");
      return ordo::transient("stopped: " + why);
    }
    return answer(task, *step, draw, effect);
  }

 private:
  TaskOutcome ask(const Task& task, const ShopStep& step, Effect& effect) const {
    const bool is_own = ordo::shop::OwnSteps::has(step.handler);
    TaskOutcome outcome = is_own ? own_.run(task) : caller_.call(task, step);
    if (step.is_optional && outcome.kind == TaskOutcome::Kind::kPermanent) {
      outcome = ordo::succeeded(R"({"skipped":")" + outcome.reason + "\"}");
    }
    const bool is_permanent = outcome.kind == TaskOutcome::Kind::kPermanent;
    record(effect, outcome.is_success() ? "succeeded" : is_permanent ? "permanent" : "transient");
    return outcome;
  }

  [[nodiscard]] Draw fate_of(const Task& task, const ShopStep& step) const {
    const std::size_t name = std::hash<std::string>{}(task.effect_key());
    ordo::Random random(options_.seed ^ name ^ (std::uint64_t{task.attempt()} << 48));
    return ordo::shop::draw(step, random);
  }

  TaskOutcome answer(const Task& task, const ShopStep& step, const Draw& draw,
                     Effect& effect) const {
    const std::string name(step.handler);
    if (draw.fate == Fate::kTransient) {
      record(effect, "transient");
      return ordo::transient(name + " does not answer");
    }
    const bool is_permanent = draw.fate == Fate::kPermanent;
    if (is_permanent && !step.is_optional) {
      record(effect, "permanent");
      return ordo::permanent(name + " says no", std::string(step.reason));
    }
    record(effect, "succeeded");
    std::string result = R"({"ms":)" + std::to_string(std::llround(draw.ms));
    if (is_permanent) result += R"(,"skipped":")" + std::string(step.reason) + '"';
    result += '}';
    return ordo::succeeded(std::move(result), task.step() == "payment" ? R"({"paid":true})" : "");
  }

  void record(Effect& effect, const char* outcome) const {
    effect.outcome = outcome;
    effect.end_ms = ordo::shop::monotonic_ms();
    if (ledger_) ledger_->append(effect);
  }

  const ShopOptions options_;
  const ordo::shop::ServiceCaller caller_;
  const ordo::shop::OwnSteps own_;
  const std::unique_ptr<ordo::shop::Ledger> ledger_;
};

int usage(const std::string& problem) {
  std::fprintf(stderr, "ordo-shop-worker: %s\n", problem.c_str());
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  ShopOptions options;
  std::vector<char*> rest{argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--help") std::fputs(kHelp, stdout);
    const auto taken = take(options, flag, i + 1 < argc ? argv[i + 1] : "");
    if (!taken) {
      rest.push_back(argv[i]);
    } else if (!*taken) {
      const char* wants = flag == "--time-scale" ? "number, 0 to 1000"
                          : flag == "--services" ? "URL, http://host:port"
                          : flag == "--endpoint" ? "client socket, host:port"
                          : flag == "--only" || flag == "--leave"
                              ? "step of examples/pipelines"
                              : "whole number, 0 to 18446744073709551615";
      return usage(std::string(flag) + " is `" + (i + 1 < argc ? argv[i + 1] : "") + "`: give a " +
                   wants);
    } else {
      ++i;
    }
  }
  std::unique_ptr<ordo::shop::Ledger> ledger;
  if (!options.ledger.empty()) {
    auto opened = ordo::shop::Ledger::open(options.ledger);
    if (!opened) {
      std::fprintf(stderr, "ordo-shop-worker: %s\n", opened.error().message.c_str());
      return kSystemRefused;
    }
    ledger = std::move(*opened);
  }
  const std::string only = options.only;
  const std::vector<std::string> leaves = options.leaves;
  const Shop shop(std::move(options), std::move(ledger));
  ordo::Worker worker({.name = "shop-" + std::to_string(::getpid()), .slots = 64});
  for (const std::string_view name : ordo::shop::handler_names()) {
    const bool is_left = std::find(leaves.begin(), leaves.end(), name) != leaves.end();
    if (is_left || (!only.empty() && name != only)) continue;
    worker.on(std::string(name),
              [&](Task& task) { return shop.handle(task, worker.options().name); });
  }
  rest.push_back(nullptr);
  return ordo::run_worker(static_cast<int>(rest.size()) - 1, rest.data(), worker);
}
