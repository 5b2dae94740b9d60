// ordo pipeline plan FILE: what a new version changes, and for which orders.
#include <algorithm>
#include <iostream>
#include <map>
#include <utility>

#include "client/cli/commands.hpp"
#include "schema/pipeline.hpp"

namespace ordo::cli {
namespace {

struct PlanOptions {
  std::string file, orders = "pin";
};

/// Open orders that are looked at: about ten seconds' worth.
constexpr std::uint64_t kLookedAt = 100'000;

struct StepChange {
  std::string sign;  ///< "+", "-" or "~"
  std::string step;
  std::string what;  ///< of a changed one: the keys
};

/// Steps by name: positions differ as soon as one is added.
std::vector<std::string> names_of(const Pipeline& pipeline, const std::vector<StepIndex>& steps) {
  std::vector<std::string> names;
  for (const StepIndex step : steps) names.push_back(pipeline.steps[step].name);
  std::sort(names.begin(), names.end());
  return names;
}

/// The keys of a step that mean something else than before.
std::string changed_keys(const Pipeline& old, const Step& a, const Pipeline& fresh, const Step& b) {
  const std::vector<std::pair<const char*, bool>> keys{
      {"after", names_of(old, a.after) != names_of(fresh, b.after)},
      {"handler", a.handler != b.handler},
      {"queue", a.queue != b.queue},
      {"timeout", a.timeout != b.timeout},
      {"retry", a.retry != b.retry},
      {"compensate", a.compensate != b.compensate || a.compensate_retry != b.compensate_retry},
      {"irreversible", a.irreversible != b.irreversible},
      {"wait", a.wait != b.wait},
      {"on_timeout", a.on_timeout != b.on_timeout || a.on_timeout_step != b.on_timeout_step},
      {"late", a.late != b.late},
      {"delay", a.delay != b.delay},
      {"each", a.each != b.each},
      {"when", a.when != b.when},
      {"uses", a.uses != b.uses},
      {"optional", a.optional != b.optional},
      {"class", a.async != b.async},
      {"fallback", a.fallback != b.fallback},
      {"order", a.order != b.order},
      {"fair_by", a.fair_by != b.fair_by},
      {"limit_key", a.limit_key != b.limit_key}};
  std::string changed;
  for (const auto& [key, is_other] : keys) {
    if (is_other) changed += (changed.empty() ? "" : ", ") + std::string(key);
  }
  return changed;
}

/// In the order of the new file, then what it no longer has.
std::vector<StepChange> changes_between(const Pipeline& old, const Pipeline& fresh) {
  std::vector<StepChange> changes;
  for (const Step& step : fresh.steps) {
    const auto before = old.find(step.name);
    if (!before) {
      changes.push_back({"+", step.name, {}});
      continue;
    }
    const std::string keys = changed_keys(old, old.steps[*before], fresh, step);
    if (!keys.empty()) changes.push_back({"~", step.name, keys});
  }
  for (const Step& step : old.steps) {
    if (!fresh.find(step.name)) changes.push_back({"-", step.name, {}});
  }
  return changes;
}

/// Open orders by version and status.
struct Open {
  std::map<unsigned, std::map<std::string, std::uint64_t>> versions;
  std::uint64_t looked_at = 0;
  bool is_all = true;
};

Result<Open> open_orders(Shell& shell, const std::string& pipeline) {
  Open open;
  client::Query query;
  query.pipeline = pipeline;
  query.limit = 1000;
  for (;;) {
    auto page = shell.client().list(query);
    if (!page) return tl::unexpected(std::move(page.error()));
    for (const auto& order : page->orders) ++open.versions[order.version][order.status];
    open.looked_at += page->orders.size();
    query.after = page->after;
    if (page->is_last) return open;
    if (open.looked_at >= kLookedAt) {
      open.is_all = false;
      return open;
    }
  }
}

/// The newest stored version; an empty pipeline where the name is new.
Result<Pipeline> stored_version(Shell& shell, const std::string& name) {
  const auto stored = shell.client().pipeline(name, 0);
  if (!stored && stored.error().code == Code::kNotFound) return Pipeline{};
  if (!stored) return tl::unexpected(stored.error());
  auto parsed = parse_pipeline(stored->source);
  if (!parsed) return tl::unexpected(to_error(parsed.error(), name));
  return std::move(*parsed);
}

Json plan_json(const Pipeline& old, const Pipeline& fresh, const std::vector<StepChange>& changes,
               const Open& open) {
  Json json{{"pipeline", fresh.name}, {"version", fresh.version}};
  json["stored_version"] = old.steps.empty() ? Json() : Json(old.version);
  json["orders"] = "pin";
  json["steps"] = Json::array();
  for (const auto& change : changes) {
    json["steps"].push_back({{"change", change.sign == "+"   ? "added"
                                        : change.sign == "-" ? "removed"
                                                             : "changed"},
                             {"step", change.step},
                             {"keys", change.what}});
  }
  json["open"] = Json::array();
  for (const auto& [version, statuses] : open.versions) {
    for (const auto& [status, count] : statuses) {
      json["open"].push_back({{"version", version}, {"status", status}, {"orders", count}});
    }
  }
  json["is_all"] = open.is_all;
  return json;
}

void print_plan(const Pipeline& old, const Pipeline& fresh, const std::vector<StepChange>& changes,
                const Open& open) {
  const std::string version = "version " + std::to_string(fresh.version);
  if (old.steps.empty()) {
    std::cout << fresh.name << ": new, " << version << ", " << fresh.steps.size() << " steps\n";
    return;
  }
  const bool is_same = old.id == fresh.id;
  std::cout << fresh.name << ": version " << old.version << " is stored, the file is " << version
            << (is_same ? ": the same\n" : "\n");
  for (const auto& change : changes) {
    std::cout << "  " << change.sign << " " << change.step
              << (change.what.empty() ? "" : ": " + change.what) << '\n';
  }
  if (changes.empty() && !is_same) std::cout << "  no step differs\n";
  if (open.versions.empty()) std::cout << "no open order\n";
  for (const auto& [number, statuses] : open.versions) {
    std::cout << "open under version " << number << ":";
    const char* between = " ";
    for (const auto& [status, count] : statuses) {
      std::cout << between << count << " " << status;
      between = ", ";
    }
    std::cout << '\n';
  }
  if (!open.is_all) std::cout << "and more: the first " << open.looked_at << " were looked at\n";
  if (!open.versions.empty()) {
    std::cout << "each keeps the version that it began with; new orders get the newest\n";
  }
}

/// Applying has to work: a version is stored once.
std::string why_not(const Pipeline& old, const Pipeline& fresh) {
  if (old.steps.empty() || old.id == fresh.id || fresh.version > old.version) return {};
  return "version " + std::to_string(fresh.version) + " is not after the stored version " +
         std::to_string(old.version) + ", and its text is another";
}

int plan(Shell& shell, const PlanOptions& options) {
  if (options.orders != "pin") {
    complain("`--orders " + options.orders + "` is not offered",
             "an order keeps the version that it began with: its rows and events count steps by "
             "their place in it",
             options.orders == "move"
                 ? "cancel those that must not go on, and submit them anew"
                 : "`ordo cancel` ends an order; `ordo ls --pipeline NAME` lists the open ones");
    return kUsage;
  }
  const auto text = read_all(options.file);
  if (!text) return kRefused;
  const auto fresh = parse_pipeline(*text);
  const auto problems = fresh ? unsupported(*fresh) : fresh.error();
  for (const Problem& problem : problems) std::cerr << problem.to_string(options.file) << '\n';
  if (!problems.empty()) return kFailed;
  const auto old = stored_version(shell, fresh->name);
  if (!old) {
    complain("cannot read what is stored of " + fresh->name, old.error());
    return exit_code_of(old.error());
  }
  const auto changes = changes_between(*old, *fresh);
  Open open;
  if (!old->steps.empty()) {
    auto found = open_orders(shell, fresh->name);
    if (!found) {
      complain("cannot list the open orders of " + fresh->name, found.error());
      return exit_code_of(found.error());
    }
    open = std::move(*found);
  }
  shell.out().item(plan_json(*old, *fresh, changes, open),
                   [&] { print_plan(*old, *fresh, changes, open); });
  if (const std::string why = why_not(*old, *fresh); !why.empty()) {
    complain("`ordo pipeline apply` would refuse it", why, "raise `version`");
    return kFailed;
  }
  return kOk;
}

}  // namespace

void add_plan_command(CLI::App& pipeline, Commands& commands) {
  const auto options = std::make_shared<PlanOptions>();
  CLI::App& command = add_command(pipeline, commands,
                                  {"plan", "What a new version changes, and for which open orders"},
                                  &plan, options);
  command.add_option("file", options->file, "A YAML file (-: stdin)")->required();
  command.add_option("--orders", options->orders, "What becomes of open orders: pin")
      ->check(CLI::IsMember({"pin", "move", "stop"}))
      ->capture_default_str();
  add_examples(command, "  ordo pipeline plan pipelines/shop.yaml");
}

}  // namespace ordo::cli
