#include "base/http_get.hpp"

#include <httplib.h>

#include <utility>

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

/// `request` has its method and what it brings along.
Result<HttpReply> ask(const std::string& url, Millis patience, httplib::Request request) {
  const std::string scheme = "http://";
  const auto slash = url.find('/', scheme.size());
  if (url.rfind(scheme, 0) != 0 || url.size() == scheme.size() || slash == scheme.size()) {
    return fail(Code::kMalformed, "url",
                "`" + url + "` is no address: write http://host:port/path");
  }
  const std::string host = url.substr(0, slash);
  request.path = slash == std::string::npos ? "/" : url.substr(slash);
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
  request.content_receiver = [&reply, deadline](const char* data, std::size_t size, auto, auto) {
    reply.body.append(data, std::min(size, kBodyBytes - reply.body.size()));
    return reply.body.size() < kBodyBytes && steady_now() < deadline;
  };
  const auto got = client.send(request);
  if (!got)
    return fail(Code::kUnavailable, "http",
                "no answer from " + url + ": " + words_for(got.error()));
  reply.status = got->status;
  reply.type = got->get_header_value("Content-Type");
  return reply;
}

}  // namespace

Result<HttpReply> http_get(const std::string& url, Millis patience) {
  httplib::Request request;
  request.method = "GET";
  return ask(url, patience, std::move(request));
}

Result<HttpReply> http_post(const std::string& url, const HttpBody& post, Millis patience) {
  httplib::Request request;
  request.method = "POST";
  request.body = post.body;
  request.set_header("Content-Type", post.type);
  for (const auto& [name, value] : post.headers) request.set_header(name, value);
  return ask(url, patience, std::move(request));
}

}  // namespace ordo
