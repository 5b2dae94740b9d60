#include "tests/integration/broker/keyed_broker.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <utility>

#include "ordo/key_pair.hpp"

namespace ordo::testing {
namespace {

template <class T> T must(Result<T> result) {
  if (result) return *std::move(result);
  std::cerr << result.error().message << std::endl;
  std::abort();
}

void must(Result<void> result) {
  if (result) return;
  std::cerr << result.error().message << std::endl;
  std::abort();
}

KeyPair draw() {
  auto key = must(client::draw_key());
  return {std::move(key.public_key), std::move(key.secret_key)};
}

}  // namespace

KeyFolder::KeyFolder() : folder_(std::filesystem::temp_directory_path() / "ordo-keyed-XXXXXX") {
  if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  const KeyPair broker = draw();
  must(write_key_pair(secret("broker"), broker, "key of a broker"));
  must(write_public_key(broker_public(), broker, "key of a broker"));
  for (const Role role : kRoles) add({.name = std::string(to_string(role)), .role = role});
}

KeyFolder::~KeyFolder() { std::filesystem::remove_all(folder_); }

void KeyFolder::add(Key key, bool is_listed) const {
  const KeyPair pair = draw();
  must(write_key_pair(secret(key.name), pair, "key of " + key.name));
  key.public_key = pair.public_key;
  if (is_listed) must(add_to_keyring(keyring(), key));
}

DialKeys KeyFolder::dial_keys(const std::string& name) const {
  return must(read_dial_keys(secret(name), broker_public()));
}

std::vector<std::string> KeyFolder::flags() const {
  return {"--keys", keyring(), "--secret-key-file", secret("broker")};
}

KeyedBroker::KeyedBroker(const std::vector<Key>& more) {
  for (const Key& key : more) keys.add(key);
  std::vector<std::string> flags = keys.flags();
  flags.insert(flags.end(), {"--store", "memory"});
  broker = std::make_unique<BrokerProcess>("", flags);
  if (!broker->wait_until_ready()) std::abort();
}

client::Options KeyedBroker::client_options(const std::string& key) const {
  client::Options options;
  options.endpoints = {broker->endpoints().clients};
  options.key_file = keys.secret(key);
  options.broker_key = keys.broker_public();
  return options;
}

WorkerOptions KeyedBroker::worker_options(const std::string& key) const {
  WorkerOptions options;
  options.brokers = {broker->endpoints().workers};
  options.key_file = keys.secret(key);
  options.broker_key = keys.broker_public();
  return options;
}

}  // namespace ordo::testing
