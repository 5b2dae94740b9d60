// Asks every broker for its health once a second and keeps what each said last.
//
// Rule:    a thread a broker, so that one that hangs delays no other. A broker is unreachable when
//          nothing came from it for kUnreachableAfter: one late answer is no outage. What it said
//          before is kept, with its age.
// Errors:  what fails is part of the source.
// Threads: start, stop and the destructor by one owner; sources() by any.
// Costs:   a connection a second and broker; 1 s patience each.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/time.hpp"
#include "monitoring/health/merge.hpp"

namespace ordo::monitor {

class Poller {
 public:
  static constexpr Millis kEvery{1000};
  static constexpr Millis kPatience{1000};
  static constexpr Millis kUnreachableAfter{3000};
  static constexpr std::size_t kBrokers = 64;  ///< a thread each

  /// `urls` as "http://host:port".
  explicit Poller(const std::vector<std::string>& urls);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// As of now, in the order of the urls.
  [[nodiscard]] std::vector<health::Source> sources(Steady now) const;

 private:
  struct Broker {
    std::string url;
    std::optional<health::Tree> last;
    std::string error;
    Steady heard{};  ///< the last answer; before the first, when it was asked first
    Wall heard_at{};
    bool is_asked = false;
    bool is_told = false;  ///< the log knows that it does not answer
  };

  void follow(Broker& broker);
  void ask(Broker& broker);

  mutable std::mutex mutex_;
  std::condition_variable ending_;
  bool is_ending_ = false;
  std::vector<Broker> brokers_;
  std::vector<std::thread> threads_;
};

}  // namespace ordo::monitor
