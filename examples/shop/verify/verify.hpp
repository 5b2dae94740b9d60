// Holds what must hold against what is known of a run.
//
// Rules:   I1 every acknowledged order is there, and has ended, is parked, or is within its
//          deadline and its waits. I2 no effect key is done twice, none after it was undone. I3 no
//          open order without something that is owed. I4 no step before those it comes after, no
//          step done twice. I5 reserved = held + confirmed + released, never more than there is;
//          what a failed or cancelled order did is undone. I7 for every order paid = posted + paid
//          back, and no payment stays without an order past the horizon. I8 retries come no sooner
//          than their policy says. I9 what is parked is parked once, and leaves by an operator or
//          with its order. I12 counters are the sum of what was recorded. I13 at rest nothing is
//          left over.
// Shapes:  one Finding a rule, also where it found nothing; rules that lack a record say so.
// Threads: pure.
// Costs:   a few microseconds an event, in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/shop/verify/world.hpp"

namespace ordo::shop {

struct Finding {
  std::string rule{};                   ///< "I1"
  std::string missing{};                ///< the record without which it was not checked
  std::uint64_t count = 0;              ///< violations
  std::vector<std::string> examples{};  ///< sentences about the first few

  void add(const std::string& sentence);
};

std::vector<Finding> verify(const World& world);

/// The events, owed rows and ledgers of a World, found by what they belong to.
class Records {
 public:
  explicit Records(const World& world);

  struct TaskKey {
    std::string order;
    int step = -1;
    unsigned branch = 0;
    int task_kind = 0;
    friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
  };

  const World& world;
  std::map<std::string, const OrderFact*> orders{};
  std::map<std::string, std::vector<const EventFact*>> events{};  ///< of an order
  std::map<TaskKey, std::vector<const EventFact*>> of_task{};
  std::map<std::string, std::vector<const OwedFact*>> owed{};  ///< to an order

  [[nodiscard]] const Pipeline* pipeline_of(const std::string& order) const;
  [[nodiscard]] const Step* step_of(const std::string& order, int step) const;
  /// "ORDER/step/branch/kind", for sentences.
  [[nodiscard]] std::string name_of(const TaskKey& task) const;
};

bool is_ended(const std::string& status);

// The rules, by what they need. Records of orders and events:
void check_acks(const Records& records, Finding& finding);      // I1
void check_owed(const Records& records, Finding& finding);      // I3
void check_sequence(const Records& records, Finding& finding);  // I4
void check_retries(const Records& records, Finding& finding);   // I8
void check_parked(const Records& records, Finding& finding);    // I9
void check_rest(const Records& records, Finding& finding);      // I13
// The services' ledgers too:
void check_effects(const Records& records, Finding& finding);   // I2
void check_undone(const Records& records, Finding& finding);    // I5
void check_money(const Records& records, Finding& finding);     // I7
void check_counters(const Records& records, Finding& finding);  // I12

}  // namespace ordo::shop
