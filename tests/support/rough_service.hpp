// An HTTP service that behaves as its test says: answers, hangs, drips, closes in the middle of a
// word. Real sockets on a port of its own; what came is kept.
//
// Use:     RoughService bank([](const auto& request) { return RoughService::answer(200, "ok"); });
//          … bank.url() … bank.requests().
// Threads: one a connection, and one that accepts; the script is called on them, one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ordo::testing {

class RoughService {
 public:
  struct Request {
    std::string method, target, body;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::size_t connection = 0;                  ///< the how manieth
  };
  struct Answer {
    enum class Then : std::uint8_t {
      kKeep,   ///< waits for the next request
      kClose,  ///< closes
      kHang,   ///< says nothing more until the peer closes
      kDrip    ///< goes on with one byte again and again until the peer closes
    };
    std::string bytes;
    Then then = Then::kKeep;
  };
  using Script = std::function<Answer(const Request&)>;
  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// A whole answer.
  static Answer answer(int status, const std::string& body = {}, const Headers& headers = {});

  explicit RoughService(Script script);
  ~RoughService();
  RoughService(const RoughService&) = delete;
  RoughService& operator=(const RoughService&) = delete;

  /// "http://127.0.0.1:PORT"
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::vector<Request> requests() const;
  [[nodiscard]] std::size_t count() const { return requests().size(); }
  /// Connections that a peer closed while they hung or dripped.
  [[nodiscard]] std::size_t given_up() const { return given_up_.load(); }

 private:
  void accept_all();
  void serve(int fd, std::size_t connection);
  void follow(int fd, Answer::Then then);

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> given_up_{0};
  std::atomic<bool> must_stop_{false};
  mutable std::mutex mutex_;  ///< of what follows
  std::mutex script_mutex_;
  std::vector<Request> requests_;
  std::vector<int> open_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace ordo::testing
