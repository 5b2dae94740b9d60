// What an operator says about a monitor: where it listens, whom it asks, who may use it.
//
// Use:     declare() the settings on an options object, fill them (base/config.hpp), then
//          complete().
// Errors:  complete(): kMalformed "setting", one sentence, for what single ranges cannot say.
// Threads: a value.
#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/config.hpp"

namespace ordo::monitor {

struct MonitorOptions {
  // As they are given.
  std::string http_text = "127.0.0.1:7790";
  std::vector<std::string> brokers{"http://127.0.0.1:7780"};
  std::vector<std::string> endpoint{"tcp://127.0.0.1:7700"};
  std::string key_file;
  std::string broker_key;
  std::string prometheus;
  std::string tokens;
  std::vector<std::string> hosts;
  bool open_http = false;
  std::string endpoints_file;
  std::string log_level = "info";
  std::string log_format = "text";

  // What complete() makes of them.
  Address http;

  void declare(Config& config);
  Result<void> complete();
};

}  // namespace ordo::monitor
