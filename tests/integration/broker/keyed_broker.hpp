// A broker with keys: its keyring and one key file a role, in a folder of its own.
//
// Use:     KeyedBroker keyed; client::Client client(keyed.client_options("operator"));
// Errors:  what cannot be made stops the test program.
// Threads: one owner, as of BrokerProcess.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/key_file.hpp"
#include "base/keyring.hpp"
#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"

namespace ordo::testing {

/// A folder with a broker's key, a keyring and the keys in it.
class KeyFolder {
 public:
  /// A key for each role, named after it.
  KeyFolder();
  ~KeyFolder();
  KeyFolder(const KeyFolder&) = delete;
  KeyFolder& operator=(const KeyFolder&) = delete;

  /// Makes a secret file `name`.key, and the line where `is_listed`.
  void add(Key key, bool is_listed = true) const;
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string secret(const std::string& name) const { return file(name + ".key"); }
  [[nodiscard]] std::string keyring() const { return file("ordo.keys"); }
  [[nodiscard]] std::string broker_public() const { return file("broker.key.pub"); }
  [[nodiscard]] DialKeys dial_keys(const std::string& name) const;
  /// What a broker is told of them.
  [[nodiscard]] std::vector<std::string> flags() const;

 private:
  std::string folder_;
};

class KeyedBroker {
 public:
  /// `more` keys beside one a role, in the keyring before the broker starts.
  explicit KeyedBroker(const std::vector<Key>& more = {});

  [[nodiscard]] client::Options client_options(const std::string& key) const;
  /// The options of a worker with that key.
  [[nodiscard]] WorkerOptions worker_options(const std::string& key) const;

  KeyFolder keys;
  std::unique_ptr<BrokerProcess> broker;  ///< with a store in memory
};

}  // namespace ordo::testing
