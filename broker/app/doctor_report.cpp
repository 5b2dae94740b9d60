#include "broker/app/doctor_report.hpp"

#include <algorithm>

namespace ordo::doctor {
namespace {

using Json = nlohmann::ordered_json;

const Kind* kind_of(const std::string& word) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&](const Kind& kind) { return kind.word == word; });
  return found == kKinds.end() ? nullptr : found;
}

const Outcome* outcome_of(const Told& told, std::size_t place) {
  if (told.outcomes == nullptr) return nullptr;
  const auto found = std::find_if(told.outcomes->begin(), told.outcomes->end(),
                                  [&](const Outcome& one) { return one.finding == place; });
  return found == told.outcomes->end() ? nullptr : &*found;
}

std::string plan_of(const Repair& repair) {
  std::string text;
  for (const Statement& statement : repair.statements) {
    text += "      - " + statement.what + "\n        " + statement.sql + ";\n";
  }
  return text;
}

std::string repair_text(const Told& told, std::size_t place) {
  const Repair& repair = told.report.findings[place].repair;
  if (repair.statements.empty()) return "    by hand: " + repair.by_hand + "\n";
  const Outcome* outcome = outcome_of(told, place);
  if (outcome != nullptr) {
    return outcome->why_not.empty() ? "    repaired\n"
                                    : "    not repaired: " + outcome->why_not + "\n";
  }
  const std::string when = repair.needs_shard ? " (while no broker owns the shard)" : "";
  if (told.has_plan) return "    repair" + when + ":\n" + plan_of(repair);
  std::string words;
  for (const Statement& one : repair.statements) words += (words.empty() ? "" : "; ") + one.what;
  return "    --repair" + when + ": " + words + "\n";
}

std::string counted(const Report& report) {
  const auto say = [&](Severity severity) {
    return std::to_string(count_of(report, severity)) + " " + std::string(to_string(severity));
  };
  const auto notes = count_of(report, Severity::kNote);
  return say(Severity::kBroken) + ", " + say(Severity::kSuspicious) + ", " + std::to_string(notes) +
         (notes == 1 ? " note" : " notes");
}

}  // namespace

std::uint64_t count_of(const Report& report, Severity severity) {
  auto count = static_cast<std::uint64_t>(
      std::count_if(report.findings.begin(), report.findings.end(),
                    [&](const Finding& one) { return one.kind.severity == severity; }));
  for (const ShardExam& shard : report.shards) {
    for (const auto& [word, more] : shard.left_off) {
      const Kind* kind = kind_of(word);
      if (kind != nullptr && kind->severity == severity) count += more;
    }
  }
  return count;
}

std::size_t repairable(const Report& report) {
  return static_cast<std::size_t>(
      std::count_if(report.findings.begin(), report.findings.end(),
                    [](const Finding& one) { return !one.repair.statements.empty(); }));
}

std::string to_text(const Told& told) {
  const Report& report = told.report;
  std::string text;
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const Finding& one = report.findings[i];
    text += std::string(to_string(one.kind.severity)) + "  " + std::string(one.kind.word) +
            "  shard " + std::to_string(one.shard) +
            (one.order.empty() ? "" : "  order " + one.order) + "\n    " + one.sentence + "\n" +
            repair_text(told, i);
  }
  for (const ShardExam& shard : report.shards) {
    for (const auto& [word, more] : shard.left_off) {
      text += "and " + std::to_string(more) + " more " + word + " in shard " +
              std::to_string(shard.shard) + "\n";
    }
  }
  for (const ShardExam& shard : report.shards) {
    text += "shard " + std::to_string(shard.shard) + ": " + std::to_string(shard.orders) +
            " orders, " + std::to_string(shard.events) + " events, " +
            std::to_string(shard.took.count()) + " ms\n";
  }
  return text + (report.findings.empty() ? "all is well" : counted(report)) + "\n";
}

Json to_json(const Told& told) {
  Json json{{"healthy", count_of(told.report, Severity::kBroken) == 0 &&
                            count_of(told.report, Severity::kSuspicious) == 0},
            {"findings", Json::array()},
            {"shards", Json::array()}};
  for (std::size_t i = 0; i < told.report.findings.size(); ++i) {
    const Finding& one = told.report.findings[i];
    Json item{
        {"word", one.kind.word}, {"severity", to_string(one.kind.severity)}, {"shard", one.shard}};
    if (!one.order.empty()) item["order"] = one.order;
    item["sentence"] = one.sentence;
    if (one.repair.statements.empty()) {
      item["by_hand"] = one.repair.by_hand;
    } else {
      item["needs_shard"] = one.repair.needs_shard;
      item["repair"] = Json::array();
      for (const Statement& statement : one.repair.statements) {
        item["repair"].push_back({{"what", statement.what}, {"sql", statement.sql}});
      }
    }
    if (const Outcome* outcome = outcome_of(told, i)) {
      item["repaired"] = outcome->why_not.empty();
      if (!outcome->why_not.empty()) item["why_not"] = outcome->why_not;
    }
    json["findings"].push_back(std::move(item));
  }
  for (const ShardExam& shard : told.report.shards) {
    json["shards"].push_back({{"shard", shard.shard},
                              {"orders", shard.orders},
                              {"events", shard.events},
                              {"ms", shard.took.count()},
                              {"left_off", shard.left_off}});
  }
  return json;
}

}  // namespace ordo::doctor
