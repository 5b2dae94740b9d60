#include "examples/shop/callback_sink.hpp"

#include <string_view>
#include <utility>

#include "base/http_get.hpp"
#include "examples/shop/line_file.hpp"

namespace ordo::shop {
namespace {

constexpr Millis kPatience{2000};

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
  if (where.starts_with("http://")) return std::make_unique<HttpSink>(where);
  if (!where.starts_with(kFile)) {
    return fail(Code::kMalformed, "callbacks",
                "`" + where +
                    "` is no place for callbacks: write http://host:port/path or "
                    "file:PATH");
  }
  auto file = LineFile::open(where.substr(kFile.size()));
  if (!file) return tl::unexpected(file.error());
  return std::make_unique<FileSink>(*std::move(file));
}

}  // namespace ordo::shop
