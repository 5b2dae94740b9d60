// A broker of a few lines for tests of the worker: welcomes sessions, beats, sends what the test
// says, notes what it gets. A real ROUTER socket on a port of its own.
//
// Threads: one thread owns the socket; the test's calls go through one lock. wait_for() waits for a
//          fact.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "schema/codec.hpp"
#include "schema/messages.hpp"

namespace ordo::worker {

class FakeBroker {
 public:
  /// Throws zmq::error_t where the machine has no such address.
  explicit FakeBroker(const std::string& where = "tcp://127.0.0.1:*") { start(where); }
  ~FakeBroker() { stop(); }
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

  /// Dies without a word, as kill -9 does.
  void stop() {
    must_stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Comes back on the same port, knowing nobody.
  void restart() { start(endpoint_); }

  /// Sends to the newest peer that said hello.
  void send(wire::Message message) {
    const std::lock_guard lock(mutex_);
    outbox_.push_back(wire::encode(message));
  }
  void offer(const std::vector<wire::Offer>& offers) {
    for (std::size_t at = 0; at < offers.size(); at += limits::kFrameOffers) {
      const std::size_t end = std::min(at + limits::kFrameOffers, offers.size());
      const auto first = offers.begin() + static_cast<std::ptrdiff_t>(at);
      send(wire::Offers{{first, offers.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
  }

  /// Whether results are answered as recorded; so from the start.
  void set_records(bool records) {
    const std::lock_guard lock(mutex_);
    records_ = records;
  }
  /// Whether it beats; so from the start.
  void set_beats(bool beats) {
    const std::lock_guard lock(mutex_);
    beats_ = beats;
  }

  struct Seen {
    std::vector<wire::WorkerHello> hellos;
    std::vector<wire::TaskResult> results;  ///< repeated ones too
    std::vector<wire::Drain> drains;
    std::vector<wire::Goodbye> goodbyes;
    std::vector<wire::Progress> progress;
    std::uint64_t beats = 0;
  };
  /// Whether `is_so` became true of what was seen within ten seconds.
  bool wait_for(const std::function<bool(const Seen&)>& is_so) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return is_so(seen_); });
  }
  Seen seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void start(const std::string& where) {
    must_stop_ = false;
    zmq::socket_t router(context_, zmq::socket_type::router);
    router.set(zmq::sockopt::linger, 0);
    router.set(zmq::sockopt::router_mandatory, true);
    router.set(zmq::sockopt::sndhwm, 0);
    router.set(zmq::sockopt::ipv6, where.find('[') != std::string::npos);
    bind(router, where);
    endpoint_ = router.get(zmq::sockopt::last_endpoint);
    peer_.clear();
    thread_ = std::jthread([this, socket = std::move(router)]() mutable { work(socket); });
  }

  /// A port is free only a moment after its last socket was closed.
  static void bind(zmq::socket_t& router, const std::string& where) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (true) {
      try {
        return router.bind(where);
      } catch (const zmq::error_t& error) {
        const bool may_come = error.num() == EADDRINUSE;
        if (!may_come || std::chrono::steady_clock::now() > until) throw;
        std::this_thread::yield();
      }
    }
  }

  void work(zmq::socket_t& router) {
    auto beat_at = std::chrono::steady_clock::now();
    while (!must_stop_) {
      zmq::pollitem_t item{router.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, std::chrono::milliseconds(2));
      zmq::message_t peer;
      while (router.recv(peer, zmq::recv_flags::dontwait)) {
        zmq::message_t frame;
        static_cast<void>(router.recv(frame));
        const std::string from = peer.to_string();
        auto message = wire::decode(frame.to_string_view());
        const std::lock_guard lock(mutex_);
        if (message) std::visit([&](auto& what) { take(from, what); }, *message);
        changed_.notify_all();
      }
      const std::lock_guard lock(mutex_);
      if (std::chrono::steady_clock::now() >= beat_at) {
        beat_at += std::chrono::milliseconds(200);
        wire::Beat beat;
        beat.received = 1'000'000;
        if (beats_ && !peer_.empty()) reply(peer_, beat);
      }
      if (!peer_.empty()) {
        for (const std::string& frame : outbox_) replies_.push_back({peer_, frame});
        outbox_.clear();
      }
      for (const auto& [to, frame] : replies_) {
        try {
          router.send(zmq::buffer(to), zmq::send_flags::sndmore);
          router.send(zmq::buffer(frame), zmq::send_flags::none);
        } catch (const zmq::error_t&) {
          // the peer is gone
        }
      }
      replies_.clear();
    }
  }

  void reply(const std::string& to, const wire::Message& message) {
    replies_.push_back({to, wire::encode(message)});
  }
  void take(const std::string& from, wire::WorkerHello& hello) {
    peer_ = from;
    wire::Welcome welcome;
    welcome.session = hello.session;
    welcome.broker = "fake";
    welcome.beat_ms = 200;
    welcome.silence_ms = 800;
    reply(from, welcome);
    seen_.hellos.push_back(std::move(hello));
  }
  void take(const std::string& from, wire::Results& results) {
    if (from != peer_) return reply(from, wire::SayHello{"unknown session"});
    wire::RecordedItems recorded;
    for (wire::TaskResult& result : results.items) {
      recorded.items.push_back({result.key, result.fence, 0, ""});
      seen_.results.push_back(std::move(result));
    }
    if (records_) reply(from, recorded);
  }
  void take(const std::string& from, wire::Beat& beat) {
    if (from != peer_) return reply(from, wire::SayHello{"unknown session"});
    ++seen_.beats;
    for (auto& note : beat.progress) seen_.progress.push_back(std::move(note));
  }
  void take(const std::string&, wire::Drain& drain) { seen_.drains.push_back(std::move(drain)); }
  void take(const std::string&, wire::Goodbye& bye) { seen_.goodbyes.push_back(std::move(bye)); }
  template <class Other> void take(const std::string&, Other&) {}

  zmq::context_t context_{1};
  std::string endpoint_;
  std::atomic<bool> must_stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
  std::string peer_;
  std::vector<std::string> outbox_;
  std::vector<std::pair<std::string, std::string>> replies_;
  bool records_ = true;
  bool beats_ = true;
  std::jthread thread_;
};

}  // namespace ordo::worker
