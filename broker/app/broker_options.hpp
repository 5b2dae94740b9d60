// What an operator says about a broker: where it listens, which shards it wants, and the engine's
// settings.
//
// Use:     declare() the settings on an options object, fill them (base/config.hpp), then
//          complete().
// Errors:  complete(): kMalformed "setting", one sentence, for what single ranges cannot say.
// Threads: a value.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/config.hpp"
#include "broker/core/settings.hpp"
#include "monitoring/health/rules.hpp"
#include "ordo/result.hpp"

namespace ordo {

struct BrokerOptions {
  // As they are given.
  std::string name;             ///< empty: complete() takes the machine's name
  std::string system = "ordo";  ///< what all its parts are called together, on page and in metrics
  std::string database;         ///< libpq's form; empty: libpq's own PG… variables
  std::string shard_databases;  ///< "3=host=b dbname=x; 4=…"
  std::string store = "postgres";
  std::uint32_t shard_count = 2;
  std::uint32_t first_shard = 0;
  std::string clients_text = "127.0.0.1:7700";
  std::string workers_text = "127.0.0.1:7701";
  std::string http_text = "127.0.0.1:7780";
  std::string keyring;          ///< file
  std::string secret_key_file;  ///< the broker's own
  bool plaintext = false;
  bool open_http = false;
  std::string metrics = "on";
  std::string endpoints_file;
  std::string log_level = "info";
  std::string log_format = "text";
  Millis drain{5000};
  std::uint32_t retention_days = 30;
  std::uint32_t days_ahead = 7;
  Millis maintenance_every{3'600'000};
  health::Thresholds health;
  std::string health_profile = "auto";
  Settings engine;

  // What complete() makes of them.
  Address clients, workers, http;
  std::map<ShardNumber, std::string> dsns;  ///< one for each shard

  void declare(Config& config);
  /// `config` is the one they were declared on: it knows where each value came from.
  Result<void> complete(const Config& config);
};

}  // namespace ordo
