// A database as a real run left it, for damage: each case has a copy of its own.
//
// Use:     class Doctor : Patient; damage by run(), examine, repair, let a broker go on.
// Shapes:  pipelines `one` (work) and `diamond` (first 0, left 1, right 2, last 3); one order of
//          each kind that the rules tell apart.
// Errors:  gtest failures.
// Threads: the main one.
// Costs:   about four seconds for the run, once; 0.1 s a copy.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/store/doctor/doctor.hpp"
#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/shard_database.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {

using std::chrono_literals::operator""s;

/// A worker of the run: "no" fails for good, "never" never works, "grounded" fails where
/// it is to fly, anything else works.
std::unique_ptr<Worker> start_worker(const BrokerProcess& broker,
                                     const std::vector<std::string>& steps);
inline const std::vector<std::string> kAllSteps{"work", "first", "left",   "right",  "last",
                                                "book", "pay",   "fly",    "unbook", "refund",
                                                "pack", "label", "unpack", "unlabel"};
extern const char* const kOnePipeline;
extern const char* const kDiamondPipeline;
/// book, pay (both with what undoes them), fly.
extern const char* const kTripPipeline;
/// pack and label (both with what undoes them) a chain of branches, fly.
extern const char* const kParcelsPipeline;

class Patient : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  Patient();

  /// Of the run: `finished`, `failed`, `cancelled`, `parked` are ends of `one`; `delayed` (an hour,
  /// with a deadline) has not begun; `ready` is a diamond of which nothing ran, `half` one with its
  /// first step done, `undoing` a trip that fails to fly, with its payment to be undone next,
  /// `parcels` one of two branches that fails to fly, with both labels to be undone next.
  static const OrderId& order(const std::string& name);
  /// Runs SQL on the shard of that order, with `ID` standing for its id.
  void damage(const std::string& name, std::string sql);

  doctor::Report examine();
  /// The words of all findings, sorted; notes of a stopped broker left out.
  std::vector<std::string> words();
  /// The findings that have this word.
  std::vector<doctor::Finding> found(const std::string& word);
  /// Expects these findings alone, repairs, expects all to be well.
  void expect_repaired(const std::vector<std::string>& expected);
  /// Expects these findings alone, none of which can be repaired.
  void expect_by_hand(const std::vector<std::string>& expected);
  /// Starts broker and worker on what was repaired: the status with which the order ends.
  std::string end_after_restart(const std::string& name);

  std::unique_ptr<ShardDatabase> database;
  doctor::ExamSpec spec;
  static std::set<std::string>& planted();  ///< words that some case has seen

 private:
  void expect(const std::vector<std::string>& expected);
};

}  // namespace ordo::testing
