#include "schema/trace.hpp"

#include <algorithm>
#include <set>

#include "schema/hash.hpp"

namespace ordo {
namespace {

constexpr std::size_t kVersionAt = 0, kTraceIdAt = 3, kParentIdAt = 36, kFlagsAt = 53;
constexpr std::size_t kTraceIdDigits = 32, kParentIdDigits = 16, kPairDigits = 2;
constexpr std::size_t kKeyBytes = 256, kValueBytes = 256;
constexpr std::string_view kDigits = "0123456789abcdef";
// The exact text that with_trace() begins labels with. The column keeps text as it came, so this is
// how labels with a trace are known, without a parser.
constexpr std::string_view kHead = R"({"traceparent":")";
constexpr std::string_view kState = R"(","tracestate":")";

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(Code::kMalformed, "trace", what);
}

/// What is wrong with a traceparent; empty: nothing.
std::string problem_of(std::string_view text) {
  if (text.size() < kTraceparentBytes || text[kTraceIdAt - 1] != '-' ||
      text[kParentIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') {
    return "is not 00-TRACE-PARENT-FLAGS with 32, 16 and 2 hex digits";
  }
  const auto version = text.substr(kVersionAt, kPairDigits);
  const auto trace = text.substr(kTraceIdAt, kTraceIdDigits);
  const auto parent = text.substr(kParentIdAt, kParentIdDigits);
  if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) ||
      !is_hex(text.substr(kFlagsAt, kPairDigits))) {
    return "has other characters than 0-9 and a-f between its dashes";
  }
  if (version == "ff") return "has version ff, which is forbidden";
  const bool has_more = text.size() > kTraceparentBytes;
  if (has_more && (version == "00" || text[kTraceparentBytes] != '-')) {
    return "goes on after its flags";
  }
  if (is_zero(trace)) return "has a trace id of zeros";
  if (is_zero(parent)) return "has a parent id of zeros";
  return {};
}

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' ||
         c == '/' || c == '@';
}

bool is_key(std::string_view key) {
  if (key.empty() || key.size() > kKeyBytes) return false;
  const bool begins_well = (key[0] >= 'a' && key[0] <= 'z') || (key[0] >= '0' && key[0] <= '9');
  return begins_well && std::all_of(key.begin(), key.end(), is_key_char);
}

bool is_value(std::string_view value) {
  if (value.empty() || value.size() > kValueBytes || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Result<std::string> parse_state(std::string_view text) {
  if (text.size() > kTracestateBytes) {
    return wrong("tracestate has " + std::to_string(text.size()) + " bytes; at most " +
                 std::to_string(kTracestateBytes) + " are allowed");
  }
  std::string state;
  std::set<std::string_view> keys;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view member = trimmed(text.substr(at, end - at));
    at = end + 1;
    if (member.empty()) continue;  // a list may have empty members
    const std::size_t equals = member.find('=');
    const std::string_view key = member.substr(0, equals);
    if (equals == member.npos || !is_key(key) || !is_value(member.substr(equals + 1))) {
      return wrong("tracestate has a member that is not vendor=value");
    }
    if (!keys.insert(key).second) return wrong("tracestate names a vendor twice");
    if (keys.size() > kTracestateMembers) {
      return wrong("tracestate has more than " + std::to_string(kTracestateMembers) + " members");
    }
    if (!state.empty()) state += ',';
    state += member;
  }
  return state;
}

/// Where the text of a JSON string ends that began before `at`; npos where it does not.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return at < json.size() ? at : json.npos;
}

/// The trace at the head of labels as it stands there, and where it ends: behind its last quote.
struct Head {
  std::string_view traceparent;
  std::string_view state;  ///< escaped
  std::size_t end = 0;
};

Head head_of(std::string_view labels) {
  const std::string_view parent = traceparent_in(labels);
  if (parent.empty()) return {};
  Head head{parent, {}, kHead.size() + parent.size() + 1};
  if (labels.substr(head.end - 1, kState.size()) != kState) return head;
  const std::size_t begin = head.end - 1 + kState.size();
  const std::size_t end = end_of_string(labels, begin);
  if (end == labels.npos) return head;
  head.state = labels.substr(begin, end - begin);
  head.end = end + 1;
  return head;
}

}  // namespace

Result<TraceContext> parse_trace(std::string_view traceparent, std::string_view tracestate) {
  if (traceparent.empty()) {
    if (tracestate.empty()) return TraceContext{};
    return wrong("tracestate needs a traceparent");
  }
  if (const auto problem = problem_of(traceparent); !problem.empty()) {
    return wrong("traceparent " + problem);
  }
  auto state = parse_state(tracestate);
  if (!state) return tl::unexpected(state.error());
  TraceContext trace{std::string(traceparent.substr(0, kTraceparentBytes)), std::move(*state)};
  if (!traceparent.starts_with("00")) {
    // Of a later version only the bit that says sampled is sure to mean the same.
    const bool is_sampled = kDigits.find(traceparent[kFlagsAt + 1]) % 2 == 1;
    trace.traceparent.replace(kVersionAt, kPairDigits, "00");
    trace.traceparent.replace(kFlagsAt, kPairDigits, is_sampled ? "01" : "00");
  }
  return trace;
}

std::string_view trace_id_of(std::string_view traceparent) {
  return traceparent.empty() ? traceparent : traceparent.substr(kTraceIdAt, kTraceIdDigits);
}

std::string_view parent_id_of(std::string_view traceparent) {
  return traceparent.empty() ? traceparent : traceparent.substr(kParentIdAt, kParentIdDigits);
}

std::string with_trace(const TraceContext& trace, std::string_view labels) {
  if (trace.traceparent.empty()) return std::string(labels);
  std::string text(kHead);
  text += trace.traceparent;
  if (!trace.tracestate.empty()) {
    text += kState;
    for (const char c : trace.tracestate) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  text += '"';
  const std::size_t open = labels.find('{');
  const std::string_view rest = open == labels.npos ? "}" : labels.substr(open + 1);
  const std::size_t next = rest.find_first_not_of(" \t\r\n");
  if (next != rest.npos && rest[next] != '}') text += ',';
  return text.append(rest);
}

std::string_view traceparent_in(std::string_view labels) {
  if (!labels.starts_with(kHead)) return {};
  const auto parent = labels.substr(kHead.size(), kTraceparentBytes);
  const std::size_t end = kHead.size() + kTraceparentBytes;
  if (end >= labels.size() || labels[end] != '"' || !problem_of(parent).empty()) return {};
  return parent;
}

TraceContext trace_in(std::string_view labels) {
  const Head head = head_of(labels);
  TraceContext trace{std::string(head.traceparent), {}};
  for (std::size_t at = 0; at < head.state.size(); ++at) {
    if (head.state[at] == '\\') ++at;
    trace.tracestate += head.state[at];
  }
  return trace;
}

std::string labels_without_trace(std::string_view labels) {
  const Head head = head_of(labels);
  if (head.end == 0) return std::string(labels);
  std::string_view rest = labels.substr(head.end);
  if (rest.starts_with(',')) return '{' + std::string(rest.substr(1));
  return {};
}

std::string effect_key(const TaskKey& key, std::string_view step) {
  std::string text = key.order.to_string();
  text += '/';
  text += step;
  text += '/' + std::to_string(key.branch) + '/';
  return text.append(to_string(key.kind));
}

std::string span_id(std::string_view effect_key, std::uint32_t attempt) {
  std::uint64_t hash = content_hash(effect_key, attempt);
  if (hash == 0) hash = 1;
  std::string text(kParentIdDigits, '0');
  for (std::size_t at = text.size(); at-- > 0; hash >>= 4) text[at] = kDigits[hash & 15];
  return text;
}

}  // namespace ordo
