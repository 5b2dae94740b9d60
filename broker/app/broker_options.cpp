#include "broker/app/broker_options.hpp"

#include <unistd.h>

#include <array>
#include <charconv>

#include "base/config_text.hpp"
#include "base/random.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

constexpr std::uint32_t kShardsHere = 64;  // one store thread and two sessions each

tl::unexpected<Error> wrong(std::string message) {
  return fail(Code::kMalformed, "setting", std::move(message));
}

std::string machine_name() {
  std::array<char, 65> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "broker";
  return name.data();
}

/// Eight digits that tell this run from others of the same name.
std::string run_name() {
  std::array<char, 17> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + 16, random_seed() | (1ULL << 63), 16);
  return {digits.data(), end == digits.data() ? 0U : 8U};
}

Result<Address> address_of(const std::string& key, const std::string& text) {
  auto address = parse_address(text);
  if (!address) return wrong(key + ": " + address.error().message);
  return address;
}

/// `beat = 10s (from --beat)`, the form in which single settings are refused too.
std::string told(const Config& config, const std::string& key) {
  for (const Setting& setting : config.settings()) {
    if (setting.key == key) return key + " = " + setting.show() + " (from " + setting.origin + ")";
  }
  return key;
}

/// What each of two settings allows, and both together do not.
Result<void> check_together(const BrokerOptions& o, const Config& config) {
  if (o.engine.silence < 3 * o.engine.beat) {
    return wrong(told(config, "silence") + " with " + told(config, "beat") +
                 ": a peer is given up after at least 3 beats; allowed: " +
                 duration_text(3 * o.engine.beat) + " to 1m");
  }
  const Millis kept = std::chrono::days{o.retention_days};
  if (o.engine.id_past > kept) {
    return wrong(told(config, "id-past") + " with " + told(config, "retention-days") +
                 ": an order that may still be submitted again would be gone already; allowed: "
                 "1m to " +
                 duration_text(kept));
  }
  return {};
}

/// "3=DSN; 4=DSN": DSNs hold commas and equals signs, so shards are separated by semicolons.
Result<void> add_overrides(std::string_view text, std::map<ShardNumber, std::string>& dsns) {
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    const auto part = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    std::uint32_t shard = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), shard);
    const auto length = static_cast<std::size_t>(stop - part.data());
    const bool is_pair = error == std::errc{} && length < part.size() && part[length] == '=';
    const auto place = is_pair ? dsns.find(static_cast<ShardNumber>(shard)) : dsns.end();
    if (place == dsns.end()) {
      return wrong("shard-databases: `" + hide_passwords(part) +
                   "` is not SHARD=DSN of a shard of this broker");
    }
    place->second = std::string(trim(part.substr(length + 1)));
  }
  return {};
}

void declare_places(BrokerOptions& o, Config& config) {
  config.text(
      "name", o.name,
      "Shown to peers and in logs, with eight random digits a run; empty: the machine's name.");
  config.text("system", o.system,
              "What the brokers of one installation have in common: the name "
              "of the system on page and in metrics.");
  config.secret("database", o.database,
                "Where the shards are, in libpq's form (`host=… dbname=…` or a URI). Keep the "
                "password in a passfile. "
                "Empty: libpq's own PG variables.");
  config.secret("shard-databases", o.shard_databases,
                "Shards that live elsewhere: `3=host=b dbname=x; 4=host=c dbname=x`.");
  config.whole<std::uint32_t>(
      "shards", o.shard_count, {1, kShardsHere},
      "How many shards (schemas `ordo_N`) this broker wants to own. Two per database "
      "use the machine well.");
  config.whole<std::uint32_t>("first-shard", o.first_shard, {0, limits::kShards - 1},
                              "The lowest of them.");
  config.choice(
      "store", o.store, {"postgres", "memory"},
      "memory: nothing survives the process; for trying out and for measuring the engine alone.");
  config.text("listen-clients", o.clients_text, "Where clients connect; port 0 takes a free one.");
  config.text("listen-workers", o.workers_text, "Where workers connect; port 0 takes a free one.");
  config.text("listen-http", o.http_text,
              "Where /metrics, /api/v1/health, /livez and /readyz are; port 0 takes a free one.");
  config.text("keys", o.keyring,
              "The keyring: a file with the public keys that may come in, their roles and rights "
              "(docs/security.md). Followed while the broker runs.");
  config.text("secret-key-file", o.secret_key_file,
              "The broker's own key, in a file that nobody else can read; `ordo keys new --role "
              "broker` makes one.");
  config.flag("plaintext", o.plaintext,
              "Listens without keys and encryption, for trying out: whoever reaches the sockets "
              "may do everything. On loopback only.");
  config.flag("open-http", o.open_http,
              "Allows listen-http on other addresses than loopback: whoever reaches it may read "
              "metrics and health.");
  config.choice("metrics", o.metrics, {"on", "off"},
                "off: nothing is counted or judged, and /metrics and health are not there; /livez "
                "and /readyz are. To measure what they cost.");
  config.text("endpoints-file", o.endpoints_file,
              "Written with the actual endpoints as JSON once listening.");
  config.choice("log-level", o.log_level, {"debug", "info", "warn", "error", "off"},
                "The least that is logged.");
  config.choice("log-format", o.log_format, {"text", "json"}, "Lines for people or for machines.");
}

void declare_times(BrokerOptions& o, Config& config) {
  Settings& e = o.engine;
  config.duration("drain", o.drain, {Millis{0}, Seconds{300}},
                  "How long an ending broker waits for writes in flight.");
  config.duration("beat", e.beat, {Millis{100}, Seconds{10}}, "Between heartbeats, both ways.");
  config.duration("silence", e.silence, {Millis{300}, Seconds{60}},
                  "After which a silent peer is given up; at least 3 beats, or one lost beat is a "
                  "lost worker.");
  config.duration(
      "grace", e.grace, {Millis{0}, Seconds{60}},
      "After a takeover, for workers to say what they are running. Shorter: more work done twice.");
  config.duration(
      "trust", e.trust, {Millis{500}, Seconds{60}},
      "Without a round trip on a shard's session for this long, nothing is sent for the shard.");
  config.duration("reopen", e.reopen, {Millis{50}, Seconds{60}},
                  "Between attempts to take a shard, jittered.");
  config.duration("signal-gap", e.signal_gap, {Millis{1}, Seconds{60}},
                  "Unit of the gaps between looks at a signal whose order is not there: 1, 2, 5, "
                  "15, 30, then 60 of these.");
  config.duration("id-past", e.id_past, {Seconds{60}, Seconds{30 * 86'400}},
                  "How old an unknown order id may be. More needs older partitions.");
  config.duration("id-future", e.id_future, {Seconds{1}, Seconds{86'400}},
                  "How far an unknown order id may be ahead of the database's clock.");
  config.whole<std::uint32_t>("retention-days", o.retention_days, {2, 3650},
                              "Days after which finished orders go, a whole partition at a time.");
  config.whole<std::uint32_t>("days-ahead", o.days_ahead, {2, 60},
                              "Days for which partitions are made in advance.");
  config.duration("maintenance-every", o.maintenance_every, {Seconds{10}, Seconds{86'400}},
                  "Between runs that make and drop partitions.");
}

void declare_bounds(BrokerOptions& o, Config& config) {
  Settings& e = o.engine;
  config.whole<std::uint32_t>(
      "window-tasks", e.window_tasks, {2, 1'000'000},
      "Tasks in hand per queue; the rest waits in the tables. Small: more paging; large: memory.");
  config.bytes("window-bytes", e.window_bytes, {4u << 20, std::uint64_t{64} << 30},
               "Their bytes: payloads, contexts, results.");
  config.whole<std::uint32_t>("page-rows", e.page_rows, {1, 10'000},
                              "Rows read at once from backlog or schedule.");
  config.whole<std::uint32_t>("inbox-orders", e.inbox_orders, {1, 10'000'000},
                              "Submits of a shard that are not durable yet; past it: busy.");
  config.bytes("inbox-bytes", e.inbox_bytes, {1u << 20, std::uint64_t{64} << 30},
               "Their payload bytes.");
  config.number("submit-rate", e.submit_rate, {0, 1e9}, "Orders a second in total; 0: no limit.");
  config.number("client-rate", e.client_rate, {0, 1e9},
                "Orders a second of one client; 0: no limit.");
  config.whole<std::uint64_t>(
      "waiting-orders", e.waiting_orders, {0, 1'000'000'000'000},
      "Tasks that wait, in hand and in the backlog; past it: busy; 0: no limit.");
  config.whole<std::uint32_t>("waiters", e.waiters, {1, 100'000'000},
                              "Wait and watch requests held at once.");
}

void declare_health(BrokerOptions& o, Config& config) {
  health::Thresholds& h = o.health;
  config.choice("health-profile", o.health_profile, {"auto", "article", "rate"},
                "How errors colour a node: by their number (article), by their share (rate), or by "
                "the share where there are many calls.");
  config.duration("health-oldest", h.oldest_red, {Seconds{1}, Seconds{31'536'000}},
                  "A queue whose oldest task waits longer is red; from half of it yellow.");
  config.whole<std::uint64_t>("health-backlog", h.backlog_red, {0, 1'000'000'000'000},
                              "A queue where more tasks wait is red; from half of it yellow; 0: "
                              "any number is well.");
}

}  // namespace

void BrokerOptions::declare(Config& config) {
  declare_places(*this, config);
  declare_times(*this, config);
  declare_bounds(*this, config);
  declare_health(*this, config);
}

Result<void> BrokerOptions::complete(const Config& config) {
  if (auto together = check_together(*this, config); !together) return together;
  for (auto [key, text, place] : {std::tuple("listen-clients", &clients_text, &clients),
                                  std::tuple("listen-workers", &workers_text, &workers),
                                  std::tuple("listen-http", &http_text, &http)}) {
    auto address = address_of(key, *text);
    if (!address) return tl::unexpected(address.error());
    *place = *std::move(address);
  }
  if (first_shard + shard_count > limits::kShards) {
    return wrong("first-shard = " + std::to_string(first_shard) +
                 " with shards = " + std::to_string(shard_count) + ": there are shards 0 to " +
                 std::to_string(limits::kShards - 1));
  }
  engine.shards.clear();
  for (std::uint32_t i = 0; i < shard_count; ++i) {
    const auto shard = static_cast<ShardNumber>(first_shard + i);
    engine.shards.push_back(shard);
    dsns[shard] = database;
  }
  auto added = add_overrides(shard_databases, dsns);
  if (!added) return added;
  if (name.empty()) name = machine_name();
  engine.broker_name = name + "-" + run_name();
  for (std::size_t i = 0; i < health::kProfileWords.size(); ++i) {
    if (health_profile == health::kProfileWords[i])
      health.profile = static_cast<health::Profile>(i);
  }
  // A worker is late after two of its beats, and gone when the engine gives it up.
  health.silence_yellow = 2 * engine.beat;
  health.silence_red = engine.silence;
  engine.version = ORDO_VERSION;
  engine.seed = random_seed();
  if (const auto problem = engine.problem()) return wrong(*problem);
  return {};
}

}  // namespace ordo
