// ordo-doctor: looks whether the tables of shards keep the engine's promises; with --repair it
// repairs what can be repaired safely.
//
// Exit codes: 0 all is well (or was repaired), 1 it is not, 2 usage, 69 a database cannot be used.
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/first_process.hpp"
#include "broker/app/broker_options.hpp"
#include "broker/app/doctor_report.hpp"
#include "schema/limits.hpp"
#include "schema/text.hpp"

namespace ordo::doctor {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kUnreachable = 69;

struct Words {
  std::string file;
  std::map<std::string, std::string> places;  ///< the broker's settings that say where shards are
  std::string output = "text";
  std::string overdue = "5m", old_transaction = "10m", statement_timeout = "60s";
  std::uint64_t dead_rows = Thresholds{}.dead_rows;
  std::size_t kept = ExamSpec{}.kept;
  bool is_strict = false, must_repair = false, says_yes = false;
  std::string who, why;
};

int say(int code, const std::string& sentence) {
  std::cerr << "ordo-doctor: " << sentence << '\n';
  return code;
}

std::string account_name() {
  for (const char* variable : {"ORDO_WHO", "USER"}) {
    if (const char* name = std::getenv(variable); name != nullptr && *name != '\0') return name;
  }
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::geteuid());
}

void declare(CLI::App& app, Words& words) {
  // No secret in argv: a password belongs into the environment, ~/.pgpass, a service file or the
  // broker's file of settings.
  app.add_option("--config", words.file, "The broker's file of settings")->envname("ORDO_CONFIG");
  app.add_option("--database,--dsn", words.places["database"],
                 "Where the shards are, as the broker is told (ORDO_DATABASE, ORDO_DSN)");
  app.add_option("--shard-databases", words.places["shard-databases"],
                 "Shards that live elsewhere, as the broker is told");
  app.add_option("--shards", words.places["shards"], "How many shards");
  app.add_option("--first-shard,--first", words.places["first-shard"], "The lowest of them");
  app.add_option("--output,-o", words.output, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--overdue", words.overdue,
                 "How long after its moment a task has been ignored [5m]");
  app.add_option("--old-transaction", words.old_transaction,
                 "From when on a transaction holds back vacuum for too long [10m]");
  app.add_option("--dead-rows", words.dead_rows, "How many dead rows are too many")
      ->capture_default_str();
  app.add_option("--statement-timeout", words.statement_timeout,
                 "For how long one statement may run [60s]");
  app.add_option("--limit", words.kept, "Findings of one kind and shard that are listed")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_flag("--strict", words.is_strict, "Exit with 1 also where there are only notes");
  app.add_flag("--repair", words.must_repair, "Print what would be repaired, and ask");
  app.add_flag("--yes,-y", words.says_yes, "Repair without asking");
  app.add_option("--why", words.why, "Why, for the order's history; wanted with --repair");
  app.add_option("--who", words.who, "Who, for the order's history; the account by default");
}

/// The settings of the broker say where its shards are: flag, environment, file.
Result<std::map<ShardNumber, std::string>> find_shards(const CLI::App& app, const Words& words) {
  BrokerOptions options;
  Config config;
  options.declare(config);
  std::map<std::string, std::string> flags;
  // The other name of ORDO_DATABASE, as ordo-migrate has it.
  const char* dsn = std::getenv("ORDO_DSN");
  if (dsn != nullptr && std::getenv("ORDO_DATABASE") == nullptr) flags["database"] = dsn;
  for (const auto& [key, text] : words.places) {
    if (app.count("--" + key) > 0) flags[key] = text;
  }
  if (auto loaded = config.load(flags, words.file); !loaded) return tl::unexpected(loaded.error());
  if (auto done = options.complete(config); !done) return tl::unexpected(done.error());
  return options.dsns;
}

Result<void> read_duration(const char* flag, const std::string& text, Millis& target) {
  const auto value = parse_duration(text);
  if (!value) {
    return fail(Code::kMalformed, "usage",
                std::string(flag) + ": '" + text + "' is no duration: write 30s");
  }
  target = *value;
  return {};
}

Result<ExamSpec> read_spec(const CLI::App& app, const Words& words) {
  auto shards = find_shards(app, words);
  if (!shards) return tl::unexpected(shards.error());
  ExamSpec spec{.dsns = *std::move(shards), .kept = words.kept};
  spec.limits.dead_rows = words.dead_rows;
  auto read = read_duration("--overdue", words.overdue, spec.limits.overdue);
  if (read) {
    read = read_duration("--old-transaction", words.old_transaction, spec.limits.old_transaction);
  }
  if (read)
    read = read_duration("--statement-timeout", words.statement_timeout, spec.statement_timeout);
  if (!read) return tl::unexpected(read.error());
  return spec;
}

bool is_said(const std::string& text, std::size_t limit) {
  return !text.empty() && text.size() <= limit && is_text(text);
}

void show(const Words& words, const Told& told) {
  if (words.output == "json") {
    std::cout << to_json(told).dump(2) << '\n';
  } else {
    std::cout << to_text(told);
  }
  std::cout.flush();
}

int judge(const Words& words, const Report& report, const std::vector<Outcome>& outcomes) {
  std::uint64_t bad = count_of(report, Severity::kBroken) +
                      count_of(report, Severity::kSuspicious) +
                      (words.is_strict ? count_of(report, Severity::kNote) : 0);
  for (const Outcome& outcome : outcomes) bad -= outcome.why_not.empty() && bad > 0 ? 1 : 0;
  return bad == 0 ? kOk : kFailed;
}

bool confirms(const Words& words, std::size_t repairs) {
  if (words.says_yes) return true;
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) {
    say(kFailed,
        "nothing was changed: this wants a yes, and there is no terminal to ask on; add "
        "--yes");
    return false;
  }
  std::cerr << "Repair " << repairs << " findings? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

int run(const CLI::App& app, Words& words) {
  if (words.who.empty()) words.who = account_name();
  if (words.must_repair &&
      (!is_said(words.why, limits::kTextBytes) || !is_said(words.who, limits::kCustomerBytes))) {
    return say(kUsage, "--repair wants --why: it is kept with each order that is repaired");
  }
  const auto spec = read_spec(app, words);
  if (!spec) return say(kUsage, spec.error().message);
  auto report = examine(*spec);
  if (!report) return say(kUnreachable, report.error().message);
  const std::size_t repairs = words.must_repair ? repairable(*report) : 0;
  if (repairs == 0) {
    show(words, {.report = *report});
    return judge(words, *report, {});
  }
  // With --yes and JSON there is one document, and its statements are in it anyway.
  if (!words.says_yes || words.output == "text") {
    show(words, {.report = *report, .has_plan = true});
  }
  if (!confirms(words, repairs)) return kFailed;
  const auto outcomes = repair(*spec, report->findings, {.who = words.who, .why = words.why});
  show(words, {.report = *report, .outcomes = &outcomes});
  return judge(words, *report, outcomes);
}

}  // namespace
}  // namespace ordo::doctor

int main(int argc, char** argv) {
  ordo::end_on_signals_as_first_process();
  CLI::App app(
      "Looks whether the tables of shards keep the engine's promises, while brokers run; repairs "
      "what can be repaired safely.");
  app.name("ordo-doctor");
  ordo::doctor::Words words;
  ordo::doctor::declare(app, words);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ordo::doctor::kOk : ordo::doctor::kUsage;
  }
  return ordo::doctor::run(app, words);
}
