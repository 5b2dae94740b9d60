// A TCP proxy in front of PostgreSQL that greets clients with a process number of its own making,
// as poolers do. It is otherwise transparent.
//
// Threads: one of its own; serves one connection at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace ordo::testing {

class RenamingProxy {
 public:
  explicit RenamingProxy(std::uint16_t server_port);
  ~RenamingProxy();
  RenamingProxy(const RenamingProxy&) = delete;
  RenamingProxy& operator=(const RenamingProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve();

  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

}  // namespace ordo::testing
