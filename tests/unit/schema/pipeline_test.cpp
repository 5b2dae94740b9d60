// Pipelines that are right: what they come to, and what of it cannot be run yet.
#include "schema/pipeline.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "base/random.hpp"

namespace ordo {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kEverything = R"(# every key there is
pipeline: digital
version: 3
deadline: 1h
restore: payment
steps:
  risk_check: { timeout: 300ms, retry: { attempts: 3 } }
  coupon:
    after: risk_check
    handler: coupon.reserve
    queue: coupons
    compensate: { handler: coupon.release, retry: { attempts: 20, cap: 5m } }
  code: { after: risk_check, compensate: code_release }
  payment: { after: [coupon, code], wait: paid, timeout: 15m, on_timeout: remind, late: refund }
  remind: { after: payment, delay: 2h, when: "not (a < 5 or level == 'gold') and paid != true" }
  ledger: { after: payment, uses: ledger, irreversible: true, fair_by: shop.id, limit_key: account }
  issue:
    after: ledger
    each: parcels
    retry: { attempts: 8, first: 200ms, factor: 2.5, cap: 60s, alarm_after: 2 }
    fallback: issue_by_mail
  notify: { after: issue, optional: true, class: async }
  bill: { after: issue, order: invoice }
)";

TEST(Pipelines, HoldEveryKeyOfTheirFile) {
  const auto parsed = parse_pipeline(kEverything);
  ASSERT_TRUE(parsed.has_value()) << to_error(parsed.error(), "f").message;
  const Pipeline& p = *parsed;
  EXPECT_EQ(p.name, "digital");
  EXPECT_EQ(p.version, 3u);
  EXPECT_EQ(p.deadline, Millis(1h));
  EXPECT_EQ(p.restore, "payment");
  EXPECT_EQ(p.source, kEverything);
  ASSERT_EQ(p.steps.size(), 9u);
  const Step& coupon = p.steps.at(1);
  EXPECT_EQ(coupon.name, "coupon");
  EXPECT_EQ(coupon.handler, "coupon.reserve");
  EXPECT_EQ(coupon.queue, "coupons");
  EXPECT_EQ(coupon.compensate, "coupon.release");
  EXPECT_EQ(coupon.compensate_retry.attempts, 20);
  EXPECT_EQ(coupon.compensate_retry.cap, Millis(5min));
  EXPECT_EQ(coupon.line, 8);
  EXPECT_EQ(coupon.column, 3);
  const Step& payment = p.steps.at(3);
  EXPECT_EQ(payment.after, (std::vector<StepIndex>{1, 2}));
  EXPECT_EQ(payment.before, (std::vector<StepIndex>{4, 5}));
  EXPECT_EQ(payment.wait, "paid");
  EXPECT_EQ(payment.timeout, Millis(15min));
  EXPECT_EQ(payment.on_timeout, OnTimeout::kStep);
  EXPECT_EQ(payment.on_timeout_step, "remind");
  EXPECT_EQ(payment.late, "refund");
  EXPECT_EQ(p.steps.at(4).delay, Millis(2h));
  EXPECT_TRUE(p.steps.at(5).irreversible);
  EXPECT_EQ(p.steps.at(5).fair_by, "shop.id");
  const RetryPolicy& retry = p.steps.at(6).retry;
  EXPECT_EQ(retry, (RetryPolicy{8, Millis(200), 2.5, Millis(60'000), 2}));
  EXPECT_EQ(p.steps.at(6).each, "parcels");
  EXPECT_EQ(p.steps.at(6).fallback, "issue_by_mail");
  EXPECT_TRUE(p.steps.at(7).optional);
  EXPECT_TRUE(p.steps.at(7).async);
  EXPECT_EQ(p.steps.at(8).order, "invoice");
  EXPECT_EQ(p.find("ledger"), StepIndex{5});
  EXPECT_FALSE(p.find("nothing").has_value());
}

TEST(Pipelines, TakeDefaultsForWhatIsNotWritten) {
  const auto parsed = parse_pipeline("pipeline: job\nsteps:\n  work:\n");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->version, 1u);
  EXPECT_FALSE(parsed->deadline.has_value());
  const Step& work = parsed->steps.at(0);
  EXPECT_EQ(work.handler, "work");
  EXPECT_EQ(work.queue, "work");
  EXPECT_EQ(work.timeout, Millis(30s));
  EXPECT_EQ(work.retry, RetryPolicy{});
  EXPECT_TRUE(unsupported(*parsed).empty());
}

TEST(Pipelines, BendDefaultsToWhatIsWrittenBesideThem) {
  const auto parsed =
      parse_pipeline("pipeline: job\nsteps: { a: { retry: { attempts: 2, first: 5m } } }\n");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->steps.at(0).retry.alarm_after, 2);
  EXPECT_EQ(parsed->steps.at(0).retry.cap, Millis(5min));
}

TEST(Pipelines, HaveAnIdThatFollowsFromTheirContent) {
  const auto id = [](std::string_view text) { return parse_pipeline(text)->id; };
  const auto one = id("pipeline: p\nversion: 1\nsteps: { a: {} }\n");
  EXPECT_EQ(one, id("pipeline: p\nversion: 1\nsteps: { a: {} }\n"));
  EXPECT_NE(one, id("pipeline: p\nversion: 2\nsteps: { a: {} }\n"));
  EXPECT_NE(one, id("pipeline: q\nversion: 1\nsteps: { a: {} }\n"));
  EXPECT_NE(one, id("pipeline: p\nversion: 1\nsteps: { b: {} }\n"));
  EXPECT_GT(one, 0);
}

TEST(Pipelines, TakeWindowsLineEndsAndQuotes) {
  const auto parsed = parse_pipeline(
      "\"pipeline\": 'p'\r\nversion: \"2\"\r\nsteps:\r\n  \"a\": { queue: \"q\" }\r\n");
  ASSERT_TRUE(parsed.has_value()) << to_error(parsed.error(), "f").message;
  EXPECT_EQ(parsed->steps.at(0).queue, "q");
}

TEST(Pipelines, NameEachKeyThatCannotBeRunYet) {
  const auto parsed = parse_pipeline(kEverything);
  ASSERT_TRUE(parsed.has_value());
  std::string said;
  for (const Problem& problem : unsupported(*parsed)) {
    said += std::to_string(problem.line) + " " + problem.what + "\n";
    EXPECT_FALSE(problem.instead.empty());
  }
  EXPECT_EQ(said,
            "23 step `bill`: `order` is not supported yet\n");
}

/// A random DAG as edges of (before, after) over a random order of the steps in the file.
struct Dag {
  std::vector<std::size_t> place;  ///< of each step in the topological order
  std::vector<std::vector<std::size_t>> after;

  explicit Dag(Random& random) : place(1 + random.below(40)), after(place.size()) {
    for (std::size_t i = 0; i < place.size(); ++i) {
      place[i] = i;
      std::swap(place[i], place[random.below(i + 1)]);
    }
    for (std::size_t i = 0; i < place.size(); ++i) {
      for (std::size_t j = 0; j < place.size(); ++j) {
        if (place[j] < place[i] && random.chance(0.15)) after[i].push_back(j);
      }
    }
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    out << "pipeline: random\nsteps:\n";
    for (std::size_t i = 0; i < after.size(); ++i) {
      out << "  s" << i << ": { after: [";
      for (std::size_t k = 0; k < after[i].size(); ++k) out << (k > 0 ? ", s" : "s") << after[i][k];
      out << "] }\n";
    }
    return out.str();
  }
};

RC_GTEST_PROP(Pipelines, LinkAnyDagBothWays, (std::uint64_t seed)) {
  Random random(seed);
  const Dag dag(random);
  const auto parsed = parse_pipeline(dag.text());
  RC_ASSERT(parsed.has_value());
  for (std::size_t i = 0; i < dag.after.size(); ++i) {
    const auto& after = parsed->steps.at(i).after;
    RC_ASSERT(std::vector<std::size_t>(after.begin(), after.end()) == dag.after[i]);
    for (const std::size_t j : dag.after[i]) {
      const auto& before = parsed->steps.at(j).before;
      RC_ASSERT(std::count(before.begin(), before.end(), i) == 1);
      RC_ASSERT(std::is_sorted(before.begin(), before.end()));
    }
  }
}

RC_GTEST_PROP(Pipelines, AreRefusedWithAnyCycle, (std::uint64_t seed)) {
  Random random(seed);
  Dag dag(random);
  // A way around through random steps.
  std::vector<std::size_t> way;
  for (std::size_t i = 0; i < dag.after.size() && way.size() < 5; ++i) way.push_back(i);
  if (way.size() < 2) return;
  for (std::size_t i = 0; i < way.size(); ++i) {
    auto& after = dag.after[way[i]];
    const std::size_t next = way[(i + 1) % way.size()];
    if (std::count(after.begin(), after.end(), next) == 0) after.push_back(next);
  }
  const auto parsed = parse_pipeline(dag.text());
  RC_ASSERT(!parsed.has_value());
  RC_ASSERT(parsed.error().front().what.rfind("steps wait for each other: s", 0) == 0);
}

RC_GTEST_PROP(Pipelines, AreRightOrExplainedAfterAnyChange, (std::uint64_t seed)) {
  Random random(seed);
  std::string text(kEverything);
  constexpr std::string_view kLetters = "{}[]:,'\"#&*!|>-?\n\t ab1%@`\\\x01\xc3\xff";
  for (std::size_t i = 1 + random.below(6); i > 0; --i) {
    const std::size_t at = random.below(text.size());
    if (random.chance(0.3)) {
      text.erase(at, random.below(20));
    } else {
      text[at] = kLetters[random.below(kLetters.size())];
    }
  }
  const auto parsed = parse_pipeline(text);
  if (parsed) {
    RC_ASSERT(!parsed->steps.empty());
    RC_ASSERT(parsed->id > 0);
  } else {
    RC_ASSERT(!parsed.error().empty());
    for (const Problem& problem : parsed.error()) RC_ASSERT(!problem.what.empty());
  }
}

}  // namespace
}  // namespace ordo
