#include "tests/transcripts/player.hpp"

#include <algorithm>
#include <stdexcept>

namespace ordo::transcript {
namespace {

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    parts.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

std::uint64_t to_ms(const std::string& duration) {
  return duration.empty() ? 0 : static_cast<std::uint64_t>(to_duration(duration) / Millis{1});
}

Outcome to_outcome(const std::string& word) {
  const auto outcome = from_word<Outcome, 5>(word);
  if (!outcome) throw std::runtime_error("`" + word + "` is no outcome");
  return *outcome;
}

Fate to_fate(const std::string& word) {
  if (word == "rejected") return Fate::kRejected;
  if (word == "not-now") return Fate::kTryAgain;
  if (word == "lost-before") return Fate::kLostBefore;
  if (word == "lost-after") return Fate::kLostAfter;
  throw std::runtime_error("`" + word + "` is nothing that can become of a commit");
}

/// Of the settings, those that stories change.
Settings to_settings(const Command& command) {
  Settings settings;
  settings.shards = {0};
  settings.tells_transitions = true;
  for (const auto& [name, value] : command.named) {
    const auto number = static_cast<std::uint32_t>(std::stoul(value));
    if (name == "window") {
      settings.window_tasks = number;
    } else if (name == "page") {
      settings.page_rows = number;
    } else if (name == "inbox") {
      settings.inbox_orders = number;
    } else if (name == "seed") {
      settings.seed = number;
    } else {
      throw std::runtime_error("stories do not set `" + name + "`");
    }
  }
  return settings;
}

}  // namespace

// ---- commands ----------------------------------------------------------------------------------

const std::string& Command::at(std::size_t index) const {
  if (index >= plain.size()) throw std::runtime_error("`" + word + "` wants more words");
  return plain[index];
}

std::string Command::get(const std::string& name, const std::string& otherwise) const {
  const auto found = named.find(name);
  return found != named.end() ? found->second : otherwise;
}

Command parse_command(const std::string& line) {
  std::vector<std::string> words(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      is_quoted = !is_quoted;
    } else if (c == ' ' && !is_quoted) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  if (is_quoted || words.empty()) throw std::runtime_error("`" + line + "` is no command");
  Command command;
  command.word = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string::npos) {
      command.plain.push_back(words[i]);
    } else {
      command.named[words[i].substr(0, equals)] = words[i].substr(equals + 1);
    }
  }
  return command;
}

Lines Player::play(const Block& block) {
  std::vector<Command> commands;
  bool is_given = false;
  for (const auto& line : block.commands) {
    if (line.starts_with('#')) continue;
    if (line == "given") {
      is_given = true;
    } else if (line.starts_with("  ")) {
      if (commands.empty()) throw std::runtime_error("a block begins with a command");
      commands.back().body += line.substr(2) + "\n";
    } else {
      commands.push_back(parse_command(line));
    }
  }
  for (const auto& command : commands) act(command);
  Lines lines = stage_.lines();
  if (is_given) lines.clear();
  return lines;
}

void Player::act(const Command& command) {
  if (act_as_world(command) || act_as_client(command) || act_as_operator(command) ||
      act_as_worker(command)) {
    return;
  }
  throw std::runtime_error("there is no command `" + command.word + "`");
}

bool Player::act_as_world(const Command& command) {
  const std::string& word = command.word;
  if (word == "open") {
    settings_ = to_settings(command);
    stage_.open(settings_);
  } else if (word == "restart") {
    stage_.open(settings_);
  } else if (word == "takeover") {
    stage_.lose_session();
  } else if (word == "time") {
    stage_.pass(to_duration(command.at(0)));
  } else if (word == "hold" || word == "release") {
    stage_.hold(word == "hold");
  } else if (word == "commit") {
    stage_.commit(command.plain.empty() ? Fate::kFine : to_fate(command.at(0)));
  } else if (word == "tables") {
    std::optional<OrderId> only;
    if (!command.plain.empty()) only = cast_.order(command.at(0));
    stage_.show_tables(only);
  } else if (word == "silence" || word == "speak") {
    cast_.peer(command.at(0)).is_silent = word == "silence";
  } else if (word == "disconnect") {
    Peer& peer = cast_.peer(command.at(0));
    peer.is_connected = false;
    if (peer.side == Send::To::kWorker) {
      stage_.say(event::WorkerGone{peer.number});
    } else {
      stage_.say(event::ClientGone{peer.number});
    }
  } else if (word == "again") {
    Peer& peer = cast_.peer(command.at(0));
    if (!peer.last_frame) throw std::runtime_error(peer.name + " said nothing yet");
    say(peer, wire::Message(*peer.last_frame));
  } else {
    return false;
  }
  return true;
}

void Player::say(Peer& peer, wire::Message message) {
  peer.last_frame = message;
  if (peer.side == Send::To::kWorker) {
    stage_.say(event::FromWorker{peer.number, std::move(message)});
  } else {
    stage_.say(event::FromClient{peer.number, std::move(message)});
  }
}

// ---- clients -----------------------------------------------------------------------------------

void Player::ask(const Command& command, Asked asked, wire::Message message) {
  Peer& client = cast_.peer(command.at(0));
  const std::uint64_t request = ++client.last_request;
  client.asked[request] = asked;
  std::visit(
      [&](auto& one) {
        if constexpr (requires { one.request; }) one.request = request;
        if constexpr (std::is_same_v<std::decay_t<decltype(one)>, wire::Submit>) {
          one.orders.front().request = request;
        }
      },
      message);
  say(client, std::move(message));
}

bool Player::act_as_client(const Command& command) {
  const std::string& word = command.word;
  const auto id = [&] { return cast_.order(command.at(1), ordo::to_ms(stage_.wall())); };
  if (word == "client") {
    Peer& client = cast_.add_peer(command.at(0), Send::To::kClient);
    say(client, wire::ClientHello{client.session, client.name, "1"});
  } else if (word == "submit") {
    submit(command);
  } else if (word == "wait") {
    ask(command, Asked::kWait, wire::Wait{0, id(), command.get("step")});
  } else if (word == "signal") {
    signal(command);
  } else if (word == "unwait") {
    const auto request = std::stoull(command.at(1));
    say(cast_.peer(command.at(0)), wire::Unwait{request});
  } else if (word == "watch") {
    ask(command, Asked::kWatch, wire::Watch{0, id(), 0});
  } else if (word == "get") {
    ask(command, Asked::kGet, wire::Get{0, id()});
  } else if (word == "explain") {
    ask(command, Asked::kExplain, wire::Explain{0, id()});
  } else if (word == "queues") {
    ask(command, Asked::kQueues, wire::GetQueues{});
  } else if (word == "signals") {
    ask(command, Asked::kSignals, wire::GetSignals{});
  } else if (word == "workers") {
    ask(command, Asked::kWorkers, wire::GetWorkers{});
  } else {
    return false;
  }
  return true;
}

void Player::submit(const Command& command) {
  wire::OrderRequest order;
  const auto born = stage_.wall() - to_duration(command.get("age", "0ms"));
  order.id = cast_.order(command.get("order"), ordo::to_ms(born));
  order.pipeline = command.get("pipeline");
  order.payload = command.get("payload");
  order.delay_ms = to_ms(command.get("delay"));
  order.deadline_ms = to_ms(command.get("deadline"));
  order.priority = static_cast<std::uint8_t>(std::stoul(command.get("priority", "5")));
  order.key = command.get("key");
  order.context = command.get("context");
  order.labels = command.get("labels");
  order.traceparent = command.get("traceparent");
  order.tracestate = command.get("tracestate");
  cast_.set_pipeline(order.id, order.pipeline);
  ask(command, Asked::kPlain, wire::Submit{{std::move(order)}});
}

void Player::signal(const Command& command) {
  wire::Signal signal;
  const auto born = stage_.wall() - to_duration(command.get("age", "0ms"));
  signal.id = cast_.order(command.at(1), ordo::to_ms(born));
  signal.name = command.at(2);
  signal.payload = command.get("payload");
  signal.dedup = command.get("dedup");
  signal.pipeline = command.get("pipeline");
  if (!signal.pipeline.empty()) cast_.set_pipeline(signal.id, signal.pipeline);
  signal.context = command.get("context");
  signal.who = command.get("who", "bank");
  ask(command, Asked::kPlain, std::move(signal));
}

// ---- operators ---------------------------------------------------------------------------------

bool Player::act_as_operator(const Command& command) {
  const std::string& word = command.word;
  const std::string who = command.get("who", "ann");
  const std::string why = command.get("why", "because");
  if (word == "pipeline") {
    put_pipeline(command);
  } else if (word == "cancel") {
    ask(command, Asked::kPlain, wire::Cancel{0, cast_.order(command.at(1)), who, why});
  } else if (word == "pause" || word == "resume") {
    ask(command, Asked::kPlain, wire::SetQueue{0, command.at(1), word == "pause", who, why});
  } else if (word == "retry" || word == "skip" || word == "complete" || word == "compensate") {
    const auto verb = word == "retry"      ? wire::Verb::kRetry
                      : word == "skip"     ? wire::Verb::kSkip
                      : word == "complete" ? wire::Verb::kComplete
                                           : wire::Verb::kCompensate;
    const TaskKey key = cast_.task(command.at(1));
    wire::Operate operate;
    operate.verb = static_cast<std::uint8_t>(verb);
    operate.id = key.order;
    operate.step = cast_.step_word(key);
    operate.branch = key.branch;
    operate.kind = key.kind == TaskKind::kCompensate ? 1 : 0;
    operate.result = command.get("result");
    operate.who = who;
    operate.why = why;
    ask(command, Asked::kPlain, std::move(operate));
  } else {
    return false;
  }
  return true;
}

void Player::put_pipeline(const Command& command) {
  if (auto parsed = parse_pipeline(command.body)) cast_.learn(std::move(*parsed));
  ask(command, Asked::kPipeline, wire::PutPipeline{0, command.body});
}

// ---- workers -----------------------------------------------------------------------------------

bool Player::act_as_worker(const Command& command) {
  const std::string& word = command.word;
  if (word == "worker") {
    Peer& worker = cast_.add_peer(command.at(0), Send::To::kWorker);
    worker.queues = split(command.get("queues"));
    worker.slots = static_cast<std::uint32_t>(std::stoul(command.get("slots", "1")));
    hello(worker, command);
  } else if (word == "hello") {
    Peer& worker = cast_.peer(command.at(0));
    if (!worker.is_connected) cast_.connect(worker);
    hello(worker, command);
  } else if (word == "result") {
    result(command);
  } else if (word == "beat") {
    Peer& worker = cast_.peer(command.at(0));
    const auto received = std::stoull(command.get("received", std::to_string(worker.offers)));
    say(worker, wire::Beat{0, received, {}});
  } else if (word == "drain") {
    drain(command);
  } else if (word == "goodbye") {
    Peer& worker = cast_.peer(command.at(0));
    say(worker, wire::Goodbye{"leaving"});
    worker.is_connected = false;
  } else {
    return false;
  }
  return true;
}

/// "A/pay@1,B/pay@1+": a plus says that its result waits to be recorded.
std::vector<wire::HeldTask> Player::held(const Peer& worker, const std::string& list) const {
  std::vector<wire::HeldTask> tasks;
  for (auto& text : split(list)) {
    const bool has_result = text.ends_with('+');
    if (has_result) text.pop_back();
    const Named named = cast_.attempt(worker, text);
    tasks.push_back({named.key, named.fence, has_result});
  }
  return tasks;
}

void Player::hello(Peer& worker, const Command& command) {
  wire::WorkerHello hello;
  hello.session = worker.session;
  hello.name = worker.name;
  hello.version = "1";
  hello.queues = worker.queues;
  hello.slots = worker.slots;
  hello.held = held(worker, command.get("holds"));
  worker.offers = 0;
  worker.is_silent = false;
  say(worker, std::move(hello));
}

void Player::result(const Command& command) {
  Peer& worker = cast_.peer(command.at(0));
  const Named named = cast_.attempt(worker, command.at(1));
  wire::TaskResult result;
  result.key = named.key;
  result.fence = named.fence;
  result.outcome = static_cast<std::uint8_t>(to_outcome(command.at(2)));
  result.result = command.get("result");
  result.context = command.get("context");
  result.error = command.get("error");
  result.reason = command.get("reason");
  result.delay_ms = to_ms(command.get("delay"));
  say(worker, wire::Results{{std::move(result)}});
}

void Player::drain(const Command& command) {
  Peer& worker = cast_.peer(command.at(0));
  say(worker, wire::Drain{held(worker, command.get("back"))});
}

// ---- the whole story ---------------------------------------------------------------------------

namespace {

/// The command that a reader looks for: comments may stand before it.
std::string title_of(const Block& block) {
  for (const auto& line : block.commands) {
    if (!line.starts_with('#')) return line;
  }
  return {};
}

}  // namespace

std::string play(const Story& story, Story& happened) {
  Player player;
  std::string report;
  happened = story;
  for (Block& block : happened.blocks) {
    const std::string place = "line " + std::to_string(block.line) + ": ";
    Lines actual;
    try {
      actual = player.play(block);
    } catch (const std::exception& error) {
      throw std::runtime_error(place + error.what());
    }
    if (actual != block.expected) {
      report += place + title_of(block) + "\n" + difference(block.expected, actual);
    }
    block.expected = std::move(actual);
  }
  return report;
}

}  // namespace ordo::transcript
