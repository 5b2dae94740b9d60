// docs/protocol.md describes every struct of the wire, field by field, and nothing else.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "schema/codec_fields.hpp"

namespace ordo::wire {
namespace {

std::string read_document() {
  std::ifstream file("docs/protocol.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Heading of a struct to how many numbered rows its table has.
std::map<std::string, std::size_t> described(const std::string& document) {
  std::map<std::string, std::size_t> found;
  std::string heading;
  std::istringstream lines(document);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("#### ", 0) == 0) {
      heading = line.substr(5);
      found[heading] = 0;
    } else if (line.rfind("#", 0) == 0) {
      heading.clear();
    } else if (!heading.empty() && line.rfind("| ", 0) == 0 && line[2] >= '1' && line[2] <= '9') {
      ++found[heading];
    }
  }
  return found;
}

template <class T> std::size_t field_count() {
  T value;
  std::size_t count = 0;
  visit_fields(value, [&](auto&... fields) { count = sizeof...(fields); });
  return count;
}

template <std::size_t... Type>
void add_messages(std::map<std::string, std::size_t>& all, std::index_sequence<Type...>) {
  ((all[std::to_string(Type) + " " + std::string(kTypeNames[Type])] =
        field_count<std::variant_alternative_t<Type, Message>>()),
   ...);
}

TEST(ProtocolDocument, DescribesEveryFieldOfEveryMessage) {
  std::map<std::string, std::size_t> all{{"ShardEntry", field_count<ShardEntry>()},
                                         {"OrderRequest", field_count<OrderRequest>()},
                                         {"Answer", field_count<Answer>()},
                                         {"HeldTask", field_count<HeldTask>()},
                                         {"StepResult", field_count<StepResult>()},
                                         {"Offer", field_count<Offer>()},
                                         {"TaskResult", field_count<TaskResult>()},
                                         {"Recorded", field_count<Recorded>()},
                                         {"Regrant", field_count<Regrant>()},
                                         {"Revoked", field_count<Revoked>()},
                                         {"Progress", field_count<Progress>()},
                                         {"OrderSummary", field_count<OrderSummary>()},
                                         {"TaskView", field_count<TaskView>()},
                                         {"EventView", field_count<EventView>()},
                                         {"OrderView", field_count<OrderView>()},
                                         {"OrderPage", field_count<OrderPage>()},
                                         {"EventPage", field_count<EventPage>()},
                                         {"Explanation", field_count<Explanation>()},
                                         {"AttemptView", field_count<AttemptView>()},
                                         {"PipelineView", field_count<PipelineView>()},
                                         {"PipelineList", field_count<PipelineList>()},
                                         {"QueueView", field_count<QueueView>()},
                                         {"QueueList", field_count<QueueList>()},
                                         {"WorkerView", field_count<WorkerView>()},
                                         {"WorkerList", field_count<WorkerList>()},
                                         {"SignalView", field_count<SignalView>()},
                                         {"SignalList", field_count<SignalList>()}};
  add_messages(all, std::make_index_sequence<std::variant_size_v<Message>>{});
  EXPECT_EQ(described(read_document()), all);
}

TEST(ProtocolDocument, NumbersItsRulesWithoutGapOrRepetition) {
  const std::string document = read_document();
  std::size_t next = 1;
  for (std::size_t at = 0; (at = document.find("* [P-", at)) != std::string::npos; ++at) {
    const std::string wanted = "* [P-" + std::to_string(next) + "] ";
    ASSERT_EQ(document.substr(at, wanted.size()), wanted);
    ++next;
  }
  EXPECT_GT(next, 70u);
}

TEST(ProtocolDocument, IsMissedWhenAFieldIsNotInIt) {
  const auto found =
      described("#### 7 Unwait\n\n| # | field |\n| --- | --- |\n\n## other\n| 1 | x |\n");
  EXPECT_EQ(found, (std::map<std::string, std::size_t>{{"7 Unwait", 0}}));
}

}  // namespace
}  // namespace ordo::wire
