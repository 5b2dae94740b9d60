#include "worker/executor/http_caller.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/check.hpp"

namespace ordo::executor {
namespace {

/// Far above what services send, far below what could hurt.
constexpr std::size_t kHeaderBytes = 64u << 10;
/// How often a wait looks round although nothing woke it.
constexpr int kLookMs = 1000;

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  ORDO_CHECK(started == CURLE_OK, static_cast<int>(started));
}

bool is_called(std::string_view name, std::string_view wanted) {
  return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void add(List& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  ORDO_CHECK(longer != nullptr, line.size());
  static_cast<void>(list.release());
  list.reset(longer);
}

/// What one call gathers while it runs.
struct Gathered {
  Reply reply;
  std::size_t most = 0;
  std::size_t header_bytes = 0;
  int sends = 0;
  bool has_head = false;   ///< the line that ends its headers
  bool is_over = false;    ///< more came than there is room for
  bool is_framed = false;  ///< its end can be told from a connection that broke

  /// libcurl takes a connection's end for the end of headers and, without a length, of the body.
  [[nodiscard]] bool is_whole() const {
    constexpr int kNoContent = 204;
    constexpr int kNotModified = 304;
    const bool has_none = reply.status == kNoContent || reply.status == kNotModified;
    return has_head && (is_framed || has_none);
  }

  void take_header(std::string_view line) {
    // An interim answer (1xx) is followed by the one that counts.
    if (line.starts_with("HTTP/")) {
      reply = Reply{};
      has_head = is_framed = false;
    }
    has_head = has_head || trimmed(line).empty();
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return;
    const std::string_view name = line.substr(0, colon);
    const std::string value(trimmed(line.substr(colon + 1)));
    is_framed =
        is_framed || is_called(name, "content-length") || is_called(name, "transfer-encoding");
    if (is_called(name, "retry-after")) reply.retry_after = value;
    if (is_called(name, "ordo-context")) reply.context = value;
    if (is_called(name, "ordo-reason")) reply.reason = value;
  }
};

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& gathered = *static_cast<Gathered*>(to);
  gathered.header_bytes += size * count;
  gathered.is_over = gathered.is_over || gathered.header_bytes > kHeaderBytes;
  if (gathered.is_over) return 0;
  gathered.take_header({bytes, size * count});
  return size * count;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& gathered = *static_cast<Gathered*>(to);
  gathered.is_over = gathered.is_over || gathered.reply.body.size() + size * count > gathered.most;
  if (gathered.is_over) return 0;
  gathered.reply.body.append(bytes, size * count);
  return size * count;
}

/// Called when a connection is there and the request is about to leave. A second time would be a
/// second request, after a kept connection broke.
int on_send(void* to, char*, char*, int, int) {
  auto& gathered = *static_cast<Gathered*>(to);
  return ++gathered.sends == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace

class HttpCaller::Handle {
 public:
  Handle() : multi_(curl_multi_init()), easy_(curl_easy_init()) {
    ORDO_CHECK(multi_ != nullptr && easy_ != nullptr, errno);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L);
  }
  ~Handle() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  HttpEnd run(const Service& service, const HttpCall& call, const CancellationToken& token);

 private:
  void set_service(const Service& service);
  void set_call(const HttpCall& call, Gathered& gathered, const List& headers);
  /// nullopt: cancelled before it ended.
  std::optional<CURLcode> drive(const CancellationToken& token);
  template <class Value> void set(CURLoption option, Value value) {
    const CURLcode done = curl_easy_setopt(easy_, option, value);
    ORDO_CHECK(done == CURLE_OK, static_cast<int>(option), static_cast<int>(done));
  }

  CURLM* const multi_;
  CURL* const easy_;
};

void HttpCaller::Handle::set_service(const Service& service) {
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_PATH_AS_IS, 1L);  // what is signed is what is sent
  set(CURLOPT_NOSIGNAL, 1L);
  // A look-up that hangs goes on by itself instead of holding whoever cancelled.
  set(CURLOPT_QUICK_EXIT, 1L);
  // An empty proxy is none, whatever the environment says; with one, nothing goes round it.
  set(CURLOPT_PROXY, service.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  if (!service.ca.empty()) set(CURLOPT_CAINFO, service.ca.c_str());
  if (service.certificate.empty()) return;
  set(CURLOPT_SSLCERT, service.certificate.c_str());
  set(CURLOPT_SSLKEY, service.private_key.c_str());
}

void HttpCaller::Handle::set_call(const HttpCall& call, Gathered& gathered, const List& headers) {
  set(CURLOPT_URL, call.url.c_str());
  if (call.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(CURLOPT_POSTFIELDS, call.body.data() == nullptr ? "" : call.body.data());
    set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  }
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.value_or(Millis{0}).count()));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &gathered);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &gathered);
  set(CURLOPT_PREREQFUNCTION, &on_send);
  set(CURLOPT_PREREQDATA, &gathered);
}

std::optional<CURLcode> HttpCaller::Handle::drive(const CancellationToken& token) {
  const auto watch = token.on_cancel([this] { curl_multi_wakeup(multi_); });
  int running = 1;
  while (true) {
    if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    if (token.is_cancelled()) return std::nullopt;
    if (curl_multi_poll(multi_, nullptr, 0, kLookMs, nullptr) != CURLM_OK) return CURLE_FAILED_INIT;
  }
  int left = 0;
  const CURLMsg* const message = curl_multi_info_read(multi_, &left);
  ORDO_CHECK(message != nullptr && message->msg == CURLMSG_DONE, left);
  return message->data.result;
}

HttpEnd HttpCaller::Handle::run(const Service& service, const HttpCall& call,
                                const CancellationToken& token) {
  Gathered gathered;
  gathered.most = call.answer_bytes;
  List headers;
  for (const auto& [name, value] : call.headers) {
    // A header without a value is written so; with a colon curl would leave it out.
    add(headers, value.empty() ? name + ';' : name + ": " + value);
  }
  add(headers, "Expect:");  // no word in advance: a service that ignores it costs a second
  std::array<char, CURL_ERROR_SIZE> said{};
  curl_easy_reset(easy_);  // keeps its connection
  set_service(service);
  set_call(call, gathered, headers);
  set(CURLOPT_ERRORBUFFER, said.data());
  curl_multi_add_handle(multi_, easy_);
  const auto code = drive(token);
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(multi_, easy_);
  curl_easy_reset(easy_);  // it points at what ends here

  HttpEnd end;
  end.was_sent = gathered.sends > 0;
  end.was_cancelled = !code;
  gathered.reply.status = static_cast<int>(status);
  if (code == CURLE_OK && gathered.is_whole()) {
    end.reply = std::move(gathered.reply);
  } else if (code == CURLE_OK) {
    end.error = gathered.has_head ? "did not say how long its answer is (Content-Length)"
                                  : "closed the connection in the middle of its answer";
  } else if (gathered.is_over) {
    end.error = "sent more than " + (gathered.header_bytes > kHeaderBytes
                                         ? std::to_string(kHeaderBytes) + " bytes of headers"
                                         : std::to_string(call.answer_bytes) + " bytes");
  } else if (gathered.sends > 1) {
    end.error = "closed the connection without an answer";
  } else if (code == CURLE_OPERATION_TIMEDOUT && end.was_sent) {
    end.error = "did not answer within its timeout";
  } else if (code) {
    end.error = "could not be called (";
    end.error += said[0] != '\0' ? said.data() : curl_easy_strerror(*code);
    end.error += ')';
  }
  return end;
}

HttpCaller::HttpCaller(Service service) : service_(std::move(service)) { start_curl(); }
HttpCaller::~HttpCaller() = default;

std::unique_ptr<HttpCaller::Handle> HttpCaller::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  return std::make_unique<Handle>();
}

void HttpCaller::give_back(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));  // never more than calls at a time: the bulkhead's bound
}

HttpEnd HttpCaller::call(const HttpCall& call, const CancellationToken& token) {
  auto handle = take();
  HttpEnd end = handle->run(service_, call, token);
  give_back(std::move(handle));
  return end;
}

}  // namespace ordo::executor
