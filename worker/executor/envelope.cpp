#include "worker/executor/envelope.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ordo::executor {
namespace {

using Json = nlohmann::json;

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// Whether brackets stand no deeper in each other than what is written again without fear for the
/// stack.
bool is_shallow(std::string_view json) {
  constexpr int kDepth = 64;
  int depth = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_quoted && c == '\\') {
      ++i;  // whatever is escaped
      continue;
    }
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if ((c == '[' || c == '{') && ++depth > kDepth) return false;
    if (c == ']' || c == '}') --depth;
  }
  return true;
}

/// A mark of byte order is no part of JSON text, though the parser bears one.
bool is_json(std::string_view bytes) {
  return !bytes.starts_with("\xef\xbb\xbf") && Json::accept(bytes);
}

/// `"name":<bytes>` where they are JSON, else `"name_base64":"…"`. Empty bytes are null.
void add_bytes(std::string& json, const std::string& name, std::string_view bytes) {
  if (bytes.empty()) {
    json += '"' + name + "\":null";
  } else if (is_json(bytes)) {
    json.append(1, '"').append(name).append("\":").append(bytes);
  } else {
    json += '"' + name + "_base64\":\"" + base64(bytes) + '"';
  }
}

}  // namespace

std::string make_envelope(const Task& task) {
  Json head;
  head["order"] = task.order().to_string();
  head["pipeline"] = task.pipeline();
  head["version"] = task.version();
  head["step"] = task.step();
  head["branch"] = task.branch();
  head["kind"] = task.is_compensation() ? "compensate" : "forward";
  head["attempt"] = task.attempt();
  head["maybe"] = task.is_maybe();
  head["key"] = task.effect_key();
  std::string json = head.dump();
  json.back() = ',';
  add_bytes(json, "payload", task.payload());
  json += ",\"context\":";
  json += task.context().empty() ? std::string_view("{}") : task.context();
  json += ",\"results\":[";
  bool is_first = true;
  for (const EarlierResult& earlier : task.results()) {
    if (!is_first) json += ',';
    is_first = false;
    json += "{\"step\":\"";
    json += earlier.step;  // a name: nothing in it needs escaping
    json += "\",\"branch\":" + std::to_string(earlier.branch) + ',';
    add_bytes(json, "result", earlier.result);
    json += '}';
  }
  return json + "]}";
}

Result<OpenedEnvelope> open_envelope(std::string_view text) {
  const auto refuse = [](std::string_view what) {
    return fail(Code::kMalformed, "envelope",
                "the answer is no envelope (" + std::string(what) +
                    "): answer `{\"result\": …, \"context\": {…}}`, or set `answer: raw`");
  };
  if (!is_shallow(text)) return refuse("it is nested too deep");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return refuse("it is no JSON object");
  OpenedEnvelope opened;
  for (const auto& [key, value] : json.items()) {
    if (key == "result") {
      opened.result = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    } else if (key == "context" && value.is_object()) {
      opened.context = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    } else {
      return refuse("`" + key.substr(0, 64) + "`");
    }
  }
  return opened;
}

}  // namespace ordo::executor
