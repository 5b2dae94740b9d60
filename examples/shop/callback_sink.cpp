#include "examples/shop/callback_sink.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_get.hpp"
#include "examples/shop/line_file.hpp"
#include "ordo/client.hpp"

namespace ordo::shop {
namespace {

constexpr Millis kPatience{2000};

/// Tells the order itself. A word for an order that is not there, or that nobody has taken in time,
/// is not taken: it comes again.
class SignalSink final : public CallbackSink {
 public:
  explicit SignalSink(std::vector<std::string> endpoints)
      : client_(
            {.endpoints = std::move(endpoints), .name = "shop-services", .timeout = kPatience}) {}
  bool deliver(const Callback& callback) override {
    const auto id = OrderId::parse(callback.order);
    if (!id) return true;  // nobody's order: it can never be told
    const auto told = client_.signal({.id = *id,
                                      .name = callback.signal,
                                      .payload = callback.payload.dump(),
                                      .dedup = callback.dedup,
                                      .pipeline = callback.pipeline,
                                      .who = "shop-services"});
    return told.has_value();
  }

 private:
  client::Client client_;
};

class HttpSink final : public CallbackSink {
 public:
  explicit HttpSink(std::string url) : url_(std::move(url)) {}
  bool deliver(const Callback& callback) override {
    const auto reply = http_post(
        url_, {.body = to_json(callback).dump(), .headers = {{"Idempotency-Key", callback.dedup}}},
        kPatience);
    return reply && reply->status >= 200 && reply->status < 300;
  }

 private:
  const std::string url_;
};

class FileSink final : public CallbackSink {
 public:
  explicit FileSink(std::unique_ptr<LineFile> file) : file_(std::move(file)) {}
  bool deliver(const Callback& callback) override {
    file_->wait(file_->put(to_json(callback).dump()));
    return true;
  }

 private:
  const std::unique_ptr<LineFile> file_;
};

}  // namespace

Result<std::unique_ptr<CallbackSink>> open_sink(const std::string& where) {
  constexpr std::string_view kFile = "file:";
  if (where.starts_with("tcp://")) {
    std::vector<std::string> endpoints;
    for (std::size_t at = 0; at <= where.size();) {
      const std::size_t end = std::min(where.find(',', at), where.size());
      endpoints.push_back(where.substr(at, end - at));
      at = end + 1;
    }
    return std::make_unique<SignalSink>(std::move(endpoints));
  }
  if (where.starts_with("http://")) return std::make_unique<HttpSink>(where);
  if (!where.starts_with(kFile)) {
    return fail(Code::kMalformed, "callbacks",
                "`" + where +
                    "` is no place for callbacks: write tcp://host:port of a broker, "
                    "http://host:port/path or file:PATH");
  }
  auto file = LineFile::open(where.substr(kFile.size()));
  if (!file) return tl::unexpected(file.error());
  return std::make_unique<FileSink>(*std::move(file));
}

}  // namespace ordo::shop
