#include "monitoring/monitor/page_server.hpp"

#include "monitoring/page/page_files.hpp"

namespace ordo::monitor {
namespace {

// What the page may do: its own scripts, styles and data, nothing of others, in nobody's frame.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

HttpAnswer answer(const PageFile& file, const HttpRequest& request) {
  HttpAnswer answer{200, std::string(file.type), "", {}};
  answer.headers = {{"Content-Security-Policy", kPolicy},
                    {"Referrer-Policy", "no-referrer"},
                    {"ETag", std::string(file.etag)},
                    {"Vary", "Accept-Encoding"},
                    // Kept, and asked about each time: a new program shows its page at once.
                    {"Cache-Control", "no-cache"}};
  if (request.header("If-None-Match").find(file.etag) != std::string::npos) {
    answer.status = 304;
    answer.type.clear();
    return answer;
  }
  const bool is_packed =
      !file.gzip.empty() && request.header("Accept-Encoding").find("gzip") != std::string::npos;
  answer.body = is_packed ? file.gzip : file.body;
  if (is_packed) answer.headers.emplace_back("Content-Encoding", "gzip");
  return answer;
}

}  // namespace

void serve_page(HttpServer& server) {
  for (const PageFile& file : page_files()) {
    server.route("GET", std::string(file.path),
                 [&file](const HttpRequest& request) { return answer(file, request); });
  }
}

}  // namespace ordo::monitor
