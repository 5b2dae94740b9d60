#include "worker/executor/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "schema/pipeline_keys.hpp"
#include "schema/pipeline_values.hpp"
#include "worker/app/options_check.hpp"
#include "worker/executor/config_reader.hpp"
#include "worker/executor/config_values.hpp"

namespace ordo::executor {
namespace {

using pipeline::Node;

using pipeline::Problems;
using namespace std::string_view_literals;

constexpr std::array kTopKeys{"worker"sv, "services"sv, "steps"sv};
constexpr std::array kWorkerKeys{"brokers"sv,   "key_file"sv,   "broker_key"sv,    "name"sv,
                                 "slots"sv,     "take_ahead"sv, "drain_timeout"sv, "hang_grace"sv,
                                 "log_level"sv, "log_format"sv, "listen_http"sv,   "open_http"sv};
constexpr std::array kServiceKeys{
    "url"sv,  "in_flight"sv, "connect_timeout"sv, "timeout"sv,         "headers"sv,
    "sign"sv, "ca"sv,        "certificate"sv,     "certificate_key"sv, "proxy"sv};
constexpr pipeline::KnownKeys kTop{"the configuration", kTopKeys,
                                   "write `services: { … }` and `steps: { … }`"};
constexpr pipeline::KnownKeys kWorker{"`worker`", kWorkerKeys, "write `worker: { slots: 16 }`"};
constexpr pipeline::KnownKeys kService{"a service", kServiceKeys,
                                       "write `SERVICE: { url: https://HOST }`"};

template <class T> void assign(T& field, std::optional<T> value) {
  if (value) field = *std::move(value);
}

void read_log(const Node& node, std::string_view key, WorkerOptions& options, Problems& problems) {
  constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "off"};
  const bool is_level = key == "log_level";
  const auto level = std::find(kLevels.begin(), kLevels.end(), node.text);
  if (is_level && level != kLevels.end()) {
    options.log_level = static_cast<LogLevel>(level - kLevels.begin());
  } else if (!is_level && (node.text == "text" || node.text == "json")) {
    options.log_format = node.text == "json" ? LogFormat::kJson : LogFormat::kText;
  } else {
    problems.add(node.at, "`" + std::string(key) + "` is " + pipeline::describe(node),
                 is_level ? "write debug, info, warn, error or off" : "write text or json");
  }
}

/// Every map below a key: a name and a body each.
template <class Read>
void for_each_named(const Node& node, std::string_view of, Problems& problems, const Read& read) {
  if (!node.is_map()) {
    problems.add(node.at,
                 "`" + std::string(of) + "` is a map of names, not " + pipeline::describe(node));
    return;
  }
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Node& name = node.children[i];
    if (std::find(seen.begin(), seen.end(), name.text) != seen.end()) {
      problems.add(name.at,
                   pipeline::describe(name) + " is written twice under `" + std::string(of) + "`");
      continue;
    }
    seen.push_back(name.text);
    read(name, node.children[i + 1]);
  }
}

void check_whole(const Config& config, Problems& problems) {
  if (const auto ok = worker::check_options(config.worker); !ok) {
    problems.add({}, "`worker`: " + ok.error().message);
  }
  if (config.steps.empty() && problems.empty()) {
    problems.add({}, "there are no steps", "write `steps: { STEP: { service: NAME } }`");
  }
  const std::size_t most = limits::kWorkerQueues;
  if (config.steps.size() > most || config.services.size() > kMostServices) {
    problems.add({},
                 "there are " + std::to_string(config.steps.size()) + " steps and " +
                     std::to_string(config.services.size()) + " services",
                 "a worker serves at most " + std::to_string(most) +
                     " of each: split them over several workers");
  }
}

}  // namespace

void read_worker(const Node& node, WorkerOptions& options, Problems& problems) {
  const auto whole = [&](const Node& value, std::string_view key, double least, double most,
                         std::uint32_t& field) {
    const auto number = pipeline::read_integer(value, key, {least, most}, problems);
    if (number) field = static_cast<std::uint32_t>(*number);
  };
  const pipeline::DurationBounds day{Millis{0}, std::chrono::hours{24}};
  pipeline::for_each_key(node, kWorker, problems, [&](const Node& word, const Node& value) {
    const std::string_view key = word.text;
    if (key == "brokers") {
      // Checked as the flags are, when the worker starts.
      auto brokers = read_texts(value, key, limits::kShards, problems);
      if (!brokers.empty()) options.brokers = std::move(brokers);
    }
    if (key == "key_file") assign(options.key_file, read_text(value, key, problems));
    if (key == "broker_key") assign(options.broker_key, read_text(value, key, problems));
    if (key == "name") assign(options.name, read_text(value, key, problems));
    if (key == "listen_http") assign(options.listen_http, read_text(value, key, problems));
    if (key == "open_http") assign(options.open_http, pipeline::read_bool(value, key, problems));
    if (key == "slots") whole(value, key, 1, 4096, options.slots);
    if (key == "take_ahead") whole(value, key, 0, 8128, options.take_ahead);
    if (key == "drain_timeout") {
      assign(options.drain_timeout, pipeline::read_duration(value, key, day, problems));
    }
    if (key == "hang_grace") {
      assign(options.hang_grace, pipeline::read_duration(value, key, day, problems));
    }
    if (key.starts_with("log_")) read_log(value, key, options, problems);
  });
}

Service read_service(const Node& name, const Node& body, Problems& problems) {
  Service service;
  assign(service.name, pipeline::read_name(name, "service", problems));
  const pipeline::DurationBounds times{Millis{1}, limits::kStepTimeoutMax};
  bool has_url = false;
  const bool is_map =
      pipeline::for_each_key(body, kService, problems, [&](const Node& word, const Node& value) {
        const std::string_view key = word.text;
        has_url = has_url || key == "url";
        if (key == "url") assign(service.url, read_url(value, key, problems));
        if (key == "proxy") assign(service.proxy, read_url(value, key, problems));
        if (key == "headers") service.headers = read_headers(value, problems);
        if (key == "sign") service.keys = read_keys(value, problems);
        if (key == "ca") assign(service.ca, read_place(value, key, "a file", problems));
        if (key == "certificate") {
          assign(service.certificate, read_place(value, key, "a file", problems));
        }
        if (key == "certificate_key") {
          assign(service.private_key, read_place(value, key, "a file", problems));
        }
        if (key == "timeout")
          service.timeout = pipeline::read_duration(value, key, times, problems);
        if (key == "connect_timeout") {
          assign(service.connect_timeout, pipeline::read_duration(value, key, times, problems));
        }
        if (key == "in_flight") {
          const auto number = pipeline::read_integer(value, key, {1, kMostInFlight}, problems);
          if (number) service.in_flight = static_cast<std::uint32_t>(*number);
        }
      });
  if (is_map && !has_url) {
    problems.add(name.at, "the service `" + name.text + "` has no `url`",
                 "write `url: https://HOST`");
  }
  if (service.certificate.empty() != service.private_key.empty() && is_map) {
    problems.add(name.at, "`certificate` and `certificate_key` go together",
                 "write both, or neither");
  }
  return service;
}

tl::expected<Config, std::vector<Problem>> read_config(std::string_view text) {
  Problems problems;
  Config config;
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    problems.add({}, "the file is empty", std::string(kTop.shape));
    return tl::unexpected(std::move(problems).take());
  }
  if (const auto root = pipeline::read_yaml(text, problems)) {
    const Node* steps = nullptr;
    pipeline::for_each_key(*root, kTop, problems, [&](const Node& key, const Node& value) {
      if (key.text == "worker") read_worker(value, config.worker, problems);
      if (key.text == "steps") steps = &value;
      if (key.text != "services") return;
      for_each_named(value, key.text, problems, [&](const Node& name, const Node& body) {
        config.services.push_back(read_service(name, body, problems));
      });
    });
    // Steps name services, wherever those stand.
    if (steps != nullptr) {
      for_each_named(*steps, "steps", problems, [&](const Node& name, const Node& body) {
        config.steps.push_back(read_step(name, body, config.services, problems));
      });
    }
    check_whole(config, problems);
  }
  if (!problems.empty()) return tl::unexpected(std::move(problems).take());
  return config;
}

tl::expected<Config, std::vector<Problem>> load_config(const std::string& path) {
  const auto refuse = [](std::string what, std::string instead) {
    Problems problems;
    problems.add({}, std::move(what), std::move(instead));
    return tl::unexpected(std::move(problems).take());
  };
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse(std::string("it cannot be read (") + std::strerror(errno) + ")", {});
  std::string text(limits::kPipelineBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return refuse("it cannot be read", "give a file, not a folder");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > limits::kPipelineBytes) {
    return refuse("it is larger than " + std::to_string(limits::kPipelineBytes) + " bytes",
                  "split it over several workers");
  }
  return read_config(text);
}

}  // namespace ordo::executor
