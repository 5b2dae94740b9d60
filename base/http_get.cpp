#include "base/http_get.hpp"

#include <httplib.h>

#include "base/clock.hpp"

namespace ordo {
namespace {

constexpr std::size_t kBodyBytes = 16u << 20;
constexpr int kPhases = 3;  // connect, send, receive

/// What the library has only a noun for.
std::string words_for(httplib::Error error) {
  if (error == httplib::Error::Connection) return "cannot connect";
  if (error == httplib::Error::ConnectionTimeout) return "cannot connect in time";
  if (error == httplib::Error::Read) return "the answer did not come";
  if (error == httplib::Error::Canceled) return "the answer is too long or takes too long";
  return httplib::to_string(error);
}

}  // namespace

Result<HttpReply> http_get(const std::string& url, Millis patience) {
  const std::string scheme = "http://";
  const auto slash = url.find('/', scheme.size());
  if (url.rfind(scheme, 0) != 0 || url.size() == scheme.size() || slash == scheme.size()) {
    return fail(Code::kMalformed, "url",
                "`" + url + "` is no address: write http://host:port/path");
  }
  const std::string host = url.substr(0, slash);
  const std::string path = slash == std::string::npos ? "/" : url.substr(slash);
  httplib::Client client(host);
  if (!client.is_valid()) {
    return fail(Code::kMalformed, "url",
                "`" + url + "` is no address: write http://host:port/path");
  }
  client.set_connection_timeout(patience);
  client.set_read_timeout(patience);
  client.set_write_timeout(patience);
  HttpReply reply;
  // Who sends a byte now and then would be waited for without end.
  const Steady deadline = steady_now() + kPhases * patience;
  auto got = client.Get(path, [&reply, deadline](const char* data, std::size_t size) {
    reply.body.append(data, std::min(size, kBodyBytes - reply.body.size()));
    return reply.body.size() < kBodyBytes && steady_now() < deadline;
  });
  if (!got)
    return fail(Code::kUnavailable, "http",
                "no answer from " + url + ": " + words_for(got.error()));
  reply.status = got->status;
  reply.type = got->get_header_value("Content-Type");
  return reply;
}

}  // namespace ordo
