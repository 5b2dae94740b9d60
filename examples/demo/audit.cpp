#include "examples/demo/audit.hpp"

#include <chrono>
#include <regex>

#include "base/clock.hpp"
#include "examples/shop/verify/records.hpp"
#include "examples/shop/verify/verify.hpp"

namespace ordo::demo {
namespace {

/// What the last reconciliation may have found too young, and what it takes until it is judged.
constexpr std::int64_t kHorizon_ms = 15'000;
/// What a broker says of an order that has ended where it knows nothing better.
constexpr std::string_view kSaysNothing = "It is over";

Result<void> verify_into(Audit& audit, const System& system, const Street& street) {
  shop::World world;
  world.horizon_ms = kHorizon_ms;
  // Tables first: what they say is done, the ledgers have had before.
  if (auto done = shop::read_tables(system.tables(), world); !done) return done;
  if (auto done = shop::read_ledgers(street.ledgers(), world); !done) return done;
  if (auto done = shop::read_acked(system.folder() + "/acks", world); !done) return done;
  world.now_ms = to_ms(wall_now());
  for (const shop::Finding& finding : shop::verify(world)) {
    audit.rules[finding.rule] = finding.count;
    audit.violations += finding.count;
    for (const std::string& example : finding.examples) {
      audit.findings.push_back(finding.rule + ": " + example);
    }
  }
  return {};
}

}  // namespace

std::string reason_of(const std::string& sentence) {
  static const std::regex kIds("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  static const std::regex kNumbers("[0-9]+(\\.[0-9]+)?");
  return std::regex_replace(std::regex_replace(sentence, kIds, "ID"), kNumbers, "#");
}

Result<Audit> audit(const System& system, const Street& street, client::Client& client,
                    const Tables& tables) {
  Audit audit;
  if (auto done = verify_into(audit, system, street); !done) return tl::unexpected(done.error());
  for (const OrderRecord& order : tables.orders) {
    if (order.status == "succeeded") continue;
    const auto id = OrderId::parse(order.id);
    const auto said = id ? client.explain(*id)
                         : Result<client::Explanation>(fail(Code::kMalformed, "id", "no id"));
    const std::string sentence = said ? said->sentence : said.error().message;
    if (!said || sentence.starts_with(kSaysNothing)) {
      audit.unexplained.push_back(order.id + ": " + sentence);
      continue;
    }
    ++audit.explained;
    ++audit.reasons[reason_of(sentence)];
  }
  return audit;
}

}  // namespace ordo::demo
