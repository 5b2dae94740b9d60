// Random pipelines with conditions, fallbacks, optional steps and branches, run by the engine over
// tables in memory and reckoned by a naive model: what runs, what is skipped, that each join fires
// once, and in which order branches and steps are undone. Results come in any order.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.hpp"
#include "broker/core/engine.hpp"
#include "broker/store/memory_store.hpp"
#include "schema/pipeline.hpp"

namespace ordo {
namespace {

constexpr std::uint64_t kSeeds = 400;
/// What an order's lists and conditions look at: three elements, none, and what is no list.
constexpr const char* kContext = R"({"three":["a","b","c"],"none":[],"word":"x","n":5})";

/// A task that runs: step, branch, kind.
using Spot = std::tuple<std::string, BranchIndex, TaskKind>;

/// Whether a handler fails for good: drawn once, by the task's name.
bool fails(std::uint64_t seed, const Spot& spot) {
  const auto& [step, branch, kind] = spot;
  Random chance(seed * 1000 + std::hash<std::string>{}(step) + branch * 7 +
                static_cast<std::uint64_t>(kind) * 131);
  return chance.chance(0.4);
}

/// Where a failure would end the order its outcome hangs on who comes first: those steps succeed,
/// but for the last.
bool fails_here(std::uint64_t seed, const Step& step, const Spot& spot) {
  if (std::get<2>(spot) == TaskKind::kCompensate) return false;
  if (step.queue == "end") return true;
  const bool may =
      step.optional || (!step.fallback.empty() && std::get<2>(spot) == TaskKind::kForward);
  return may && fails(seed, spot);
}

/// `is_undone`: a last step comes after all others and fails for good.
std::string draw_pipeline(std::uint64_t seed, bool is_undone = false) {
  Random chance(seed);
  std::string text = "pipeline: p\nsteps:\n  s0: { queue: q }\n";
  const std::uint64_t steps = 2 + chance.below(8);
  std::vector<std::string> each{""};
  for (std::uint64_t i = 1; i < steps; ++i) {
    std::string after;
    for (std::uint64_t before = 0; before < i; ++before) {
      if (chance.chance(0.35)) after += (after.empty() ? "s" : ", s") + std::to_string(before);
    }
    if (chance.chance(0.4)) after = "s" + std::to_string(i - 1);
    text += "  s" + std::to_string(i) + ": { queue: q";
    if (!after.empty()) text += ", after: [" + after + "]";
    if (chance.chance(0.2)) text += chance.chance(0.5) ? ", when: n > 4" : ", when: word == 'y'";
    if (chance.chance(0.3)) text += ", optional: true";
    if (chance.chance(0.3)) text += ", fallback: other";
    if (chance.chance(0.5)) text += chance.chance(0.8) ? ", each: three" : ", each: none";
    if (is_undone && chance.chance(0.6)) text += ", compensate: undo";
    text += " }\n";
  }
  if (!is_undone) return text;
  text += "  end: { queue: end, after: [s0";
  for (std::uint64_t i = 1; i < steps; ++i) text += ", s" + std::to_string(i);
  return text + "] }\n";
}

/// What should happen, step by step in the order of the file: steps name only earlier ones.
struct Model {
  std::set<Spot> runs;
  std::set<std::pair<std::string, BranchIndex>> skipped;
  std::set<std::string> joins;
  std::map<std::string, std::string> heads;  ///< of each step that goes on after another's branches

  Model(const Pipeline& pipeline, std::uint64_t seed) {
    std::map<StepIndex, bool> has_fan;
    for (StepIndex i = 0; i < pipeline.steps.size(); ++i) {
      const Step& step = pipeline.steps[i];
      const bool is_chained = step.after.size() == 1 && !step.each.empty() && step.when.empty() &&
                              has_fan[step.after[0]] &&
                              pipeline.steps[step.after[0]].each == step.each;
      bool waits_for_branches = false;
      for (const StepIndex before : step.after) {
        waits_for_branches = waits_for_branches || has_fan[before];
      }
      if (!is_chained && (step.after.size() > 1 || waits_for_branches)) joins.insert(step.name);
      if (is_chained) heads[step.name] = head_of(pipeline.steps[step.after[0]].name);
      if (step.when == "word == 'y'") {
        skipped.insert({step.name, 0});
        continue;
      }
      has_fan[i] = !step.each.empty();
      const BranchIndex count = step.each == "three" ? 3 : step.each == "none" ? 0 : 1;
      for (BranchIndex branch = 0; branch < count; ++branch) run(seed, step, branch);
    }
  }

  [[nodiscard]] std::string head_of(const std::string& step) const {
    const auto found = heads.find(step);
    return found == heads.end() ? step : found->second;
  }

  /// Whether a branch is undone before another: that of a step after its own; of one chain only
  /// where both are the same element's.
  [[nodiscard]] bool is_undone_before(const Pipeline& pipeline, const Spot& one,
                                      const Spot& other) const {
    const auto& [later, its, kind] = one;
    const auto& [earlier, others, same] = other;
    if (later == earlier || !comes_after(pipeline, later, earlier)) return false;
    return head_of(later) != head_of(earlier) || its == others;
  }

  static bool comes_after(const Pipeline& pipeline, const std::string& later,
                          const std::string& earlier) {
    if (later == earlier) return true;
    for (const StepIndex before : pipeline.steps[*pipeline.find(later)].after) {
      if (comes_after(pipeline, pipeline.steps[before].name, earlier)) return true;
    }
    return false;
  }

  void run(std::uint64_t seed, const Step& step, BranchIndex branch) {
    const Spot own{step.name, branch, TaskKind::kForward};
    runs.insert(own);
    if (!fails_here(seed, step, own)) return;
    const Spot other{step.name, branch, TaskKind::kFallback};
    if (!step.fallback.empty()) runs.insert(other);
    if (step.fallback.empty() || fails_here(seed, step, other)) skipped.insert({step.name, branch});
  }
};

/// The engine, its tables, one client and one worker.
class Bench {
 public:
  explicit Bench(std::uint64_t seed, const char* planted = "")
      : seed_(seed), chance_(seed), store_(database_) {
    Settings settings;
    settings.seed = seed;
    settings.shards = {0};
    settings.planted = planted;
    // A small window: some tasks come by way of the backlog.
    settings.window_tasks = seed % 3 == 0 ? 2 : 1000;
    engine_ = std::make_unique<Engine>(settings);
    Effects effects;
    engine_->start(now(), effects);
    take(effects);
    tell(event::FromClient{1, wire::ClientHello{{1}, "c", "1"}});
    tell(event::FromWorker{
        1, wire::WorkerHello{{2}, "w", "1", {"q", "other", "undo", "end"}, 64, {}}});
  }

  void run(const std::string& source) {
    auto parsed = parse_pipeline(source);
    ASSERT_TRUE(parsed) << to_error(parsed.error(), "p").message << source;
    pipeline_ = std::move(*parsed);
    tell(event::FromClient{1, wire::PutPipeline{1, source}});
    wire::OrderRequest order;
    order.request = 2;
    order.id = id_;
    order.pipeline = "p";
    order.context = kContext;
    tell(event::FromClient{1, wire::Submit{{order}}});
    while (!offers_.empty()) {
      const auto at = static_cast<std::ptrdiff_t>(chance_.below(offers_.size()));
      const wire::Offer offer = offers_[static_cast<std::size_t>(at)];
      offers_.erase(offers_.begin() + at);
      finish(offer);
    }
  }

  [[nodiscard]] OrderStatus status() const { return database_.status(id_); }
  [[nodiscard]] const std::map<Spot, int>& runs() const { return runs_; }
  [[nodiscard]] const std::map<std::string, int>& joins() const { return joins_; }
  /// What undid something, by the end of it, and how many had ended when it was offered.
  [[nodiscard]] const std::vector<std::pair<Spot, std::size_t>>& undone() const { return undone_; }
  [[nodiscard]] const Pipeline& pipeline() const { return pipeline_; }
  [[nodiscard]] std::set<std::pair<std::string, BranchIndex>> skipped() const {
    std::set<std::pair<std::string, BranchIndex>> all;
    for (const auto& [seq, event] : *database_.events(id_)) {
      if (event.kind != EventKind::kSkipped) continue;
      EXPECT_TRUE(all.insert({pipeline_.steps[*event.step].name, event.branch}).second);
    }
    return all;
  }

 private:
  [[nodiscard]] Times now() const {
    return {Steady{} + Seconds{100} + Millis{moment_}, Wall{} + Seconds{kStart} + Millis{moment_}};
  }

  void finish(const wire::Offer& offer) {
    const Step& step = pipeline_.steps[offer.key.step];
    const Spot spot{offer.step, offer.key.branch, offer.key.kind};
    ++runs_[spot];
    constexpr std::array<const char*, 3> kElements{"\"a\"", "\"b\"", "\"c\""};
    EXPECT_EQ(offer.element, step.each == "three" ? kElements.at(offer.key.branch) : "");
    const bool is_undo = offer.key.kind == TaskKind::kCompensate;
    EXPECT_EQ(offer.handler, is_undo                                 ? "undo"
                             : offer.key.kind == TaskKind::kFallback ? "other"
                                                                     : offer.step);
    if (is_undo) {
      ASSERT_FALSE(offer.results.empty());
      EXPECT_EQ(offer.results.front().step, offer.step);
      EXPECT_EQ(offer.results.front().branch, offer.key.branch);
      undone_.emplace_back(spot, offered_after_.at(spot));
    }
    wire::TaskResult result;
    result.key = offer.key;
    result.fence = offer.fence;
    const bool has_failed = fails_here(seed_, step, spot);
    result.outcome =
        static_cast<std::uint8_t>(has_failed ? Outcome::kPermanent : Outcome::kSucceeded);
    if (has_failed) result.error = "no";
    tell(event::FromWorker{1, wire::Results{{result}}});
  }

  void tell(Event event) {
    ++moment_;
    Effects effects;
    engine_->step(now(), std::move(event), effects);
    take(effects);
  }

  void take(Effects& effects) {
    for (const auto& fact : effects.facts) {
      if (fact.kind == FactKind::kJoinFired) ++joins_[*fact.step];
    }
    for (auto& send : effects.sends) {
      auto* offer = std::get_if<wire::Offer>(&send.item);
      if (offer == nullptr) continue;
      offered_after_[{offer->step, offer->key.branch, offer->key.kind}] = undone_.size();
      offers_.push_back(std::move(*offer));
    }
    auto work = std::move(effects.store);
    for (auto& one : work) std::visit([&](auto& operation) { perform(operation); }, one.operation);
  }

  void perform(OpenShard& open) {
    database_.set_now(now().wall);
    incarnation_ = open.incarnation;
    event::ShardOpened opened;
    opened.incarnation = incarnation_;
    opened.takeover = std::move(*store_.open());
    tell(std::move(opened));
  }
  void perform(std::unique_ptr<Write>& write) {
    const StoreWrite* const batch[] = {&write->store};
    const auto result = store_.commit(batch);
    ASSERT_EQ(result.kind, CommitResult::Kind::kCommitted) << result.message;
    ASSERT_TRUE(result.refused.empty());
    event::WritesDone done{0, incarnation_, {}};
    done.items.push_back({std::move(write), event::WritesDone::Outcome::kDurable, {}});
    tell(std::move(done));
  }
  void perform(LoadOrders& load) {
    tell(event::OrdersLoaded{0, incarnation_, load.ids, *store_.load(load.ids)});
  }
  void perform(LoadPage& load) {
    tell(event::PageLoaded{0, incarnation_, load.spec, *store_.page(load.spec)});
  }

  static constexpr std::int64_t kStart = 1'700'000'000;
  std::uint64_t seed_;
  Random chance_;
  MemoryDatabase database_{0};
  MemoryStore store_;
  std::unique_ptr<Engine> engine_;
  std::int64_t moment_ = 0;
  std::uint32_t incarnation_ = 0;
  OrderId id_ = OrderId::make(kStart * 1000, 0, 1);
  Pipeline pipeline_;
  std::vector<wire::Offer> offers_;
  std::map<Spot, int> runs_;
  std::map<std::string, int> joins_;
  std::map<Spot, std::size_t> offered_after_;
  std::vector<std::pair<Spot, std::size_t>> undone_;
};

TEST(Shape, IsWhatANaiveModelSays) {
  std::size_t branches = 0, skips = 0, fallbacks = 0, joined = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string source = draw_pipeline(seed);
    Bench bench(seed);
    bench.run(source);
    const Model model(bench.pipeline(), seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + source);
    ASSERT_EQ(bench.status(), OrderStatus::kSucceeded);
    std::set<Spot> ran;
    for (const auto& [spot, times] : bench.runs()) {
      ASSERT_EQ(times, 1) << std::get<0>(spot) << "/" << std::get<1>(spot);
      ran.insert(spot);
      branches += std::get<1>(spot) > 0 ? 1 : 0;
      fallbacks += std::get<2>(spot) == TaskKind::kFallback ? 1 : 0;
    }
    ASSERT_EQ(ran, model.runs);
    ASSERT_EQ(bench.skipped(), model.skipped);
    std::set<std::string> joins;
    for (const auto& [step, times] : bench.joins()) {
      ASSERT_EQ(times, 1) << step;
      joins.insert(step);
    }
    ASSERT_EQ(joins, model.joins);
    skips += model.skipped.size();
    joined += joins.size();
  }
  // A generator that went lame would prove nothing.
  EXPECT_GT(branches, 200u);
  EXPECT_GT(skips, 200u);
  EXPECT_GT(fallbacks, 100u);
  EXPECT_GT(joined, 200u);
}

/// What is wrong with the way back of an order; empty where nothing is.
std::string wrong_way_back(const Bench& bench, const Model& model, bool has_room) {
  if (bench.status() != OrderStatus::kFailed) return "it has not failed";
  std::map<Spot, std::size_t> ended;
  for (const auto& [spot, before] : bench.undone()) {
    if (!ended.emplace(spot, ended.size()).second) return std::get<0>(spot) + " is undone twice";
  }
  std::set<Spot> wanted;
  for (const auto& [step, branch, kind] : model.runs) {
    const bool is_kept = bench.pipeline().steps[*bench.pipeline().find(step)].compensate.empty();
    if (is_kept || kind != TaskKind::kForward || model.skipped.contains({step, branch})) continue;
    wanted.insert({step, branch, TaskKind::kCompensate});
  }
  for (const Spot& spot : wanted) {
    if (!ended.contains(spot)) return std::get<0>(spot) + " is not undone";
  }
  if (ended.size() != wanted.size()) return "more is undone than was done";
  for (const auto& [spot, before] : bench.undone()) {
    std::size_t earliest = 0;
    for (const Spot& other : wanted) {
      if (!model.is_undone_before(bench.pipeline(), other, spot)) continue;
      earliest = std::max(earliest, ended.at(other) + 1);
    }
    if (before < earliest) return std::get<0>(spot) + " is undone too early";
    if (has_room && before > earliest) return std::get<0>(spot) + " waits for nothing";
  }
  return {};
}

TEST(Shape, IsUndoneAsANaiveModelSays) {
  std::size_t undone = 0, branches = 0, chained = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string source = draw_pipeline(seed, true);
    Bench bench(seed);
    bench.run(source);
    const Model model(bench.pipeline(), seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + source);
    ASSERT_EQ(wrong_way_back(bench, model, seed % 3 != 0), "");
    undone += bench.undone().size();
    for (const auto& [spot, before] : bench.undone()) {
      branches += std::get<1>(spot) > 0 ? 1 : 0;
      chained += model.heads.contains(std::get<0>(spot)) ? 1 : 0;
    }
  }
  EXPECT_GT(undone, 500u);
  EXPECT_GT(branches, 200u);
  EXPECT_GT(chained, 100u);
}

class UndoingWithABug : public ::testing::TestWithParam<const char*> {};

TEST_P(UndoingWithABug, IsNotWhatTheModelSays) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Bench bench(seed, GetParam());
    bench.run(draw_pipeline(seed, true));
    const Model model(bench.pipeline(), seed);
    if (!wrong_way_back(bench, model, seed % 3 != 0).empty()) return;
  }
  FAIL() << "no seed showed it";
}
INSTANTIATE_TEST_SUITE_P(Planted, UndoingWithABug, ::testing::Values("PB-15", "mixed-undo"));

/// Bugs on purpose, which the model must notice.
class ShapeWithABug : public ::testing::TestWithParam<const char*> {};

TEST_P(ShapeWithABug, IsNotWhatTheModelSays) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Bench bench(seed, GetParam());
    bench.run(draw_pipeline(seed));
    const Model model(bench.pipeline(), seed);
    std::set<Spot> ran;
    for (const auto& [spot, times] : bench.runs()) ran.insert(spot);
    if (bench.status() != OrderStatus::kSucceeded || ran != model.runs) return;
  }
  FAIL() << "no seed showed it";
}
INSTANTIATE_TEST_SUITE_P(Planted, ShapeWithABug,
                         ::testing::Values("when-ignored", "optional-ends"));

}  // namespace
}  // namespace ordo
